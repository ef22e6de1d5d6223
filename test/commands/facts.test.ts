import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const TESTS = resolve(import.meta.dirname, "..");

const FACTS: readonly (readonly [fact: string, file: string, test: string])[] = [
  ["a dot in a name breaks the container", "e2e/facts.test.ts", "a dot in the name of a service makes Traefik skip"],
  [
    "hence an id in the names of services, not the version",
    "traefik/labels.test.ts",
    "with live files each service has the container's id",
  ],
  ["any label error skips the whole container", "e2e/facts.test.ts", "a service without a port makes Traefik skip"],
  ["every label of a service is renamed", "traefik/labels.test.ts", "every option of a service is renamed"],
  ["a router is linked to the only service, or dropped", "e2e/facts.test.ts", "a router without a service is linked"],
  [
    "further services are renamed, routers name them",
    "traefik/labels.test.ts",
    "labels that name a service of the container",
  ],
  ["further services in the file", "traefik/live-file.test.ts", "a container with several services"],
  [
    "ties of priority: the file is one above",
    "e2e/facts.test.ts",
    "the file's router, one above the label's, answers at",
  ],
  [
    "label routers one below, never 0, below the limit",
    "traefik/labels.test.ts",
    "the label router's priority is one below",
  ],
  [
    "Traefik ignores a router above its limit",
    "e2e/facts.test.ts",
    "a priority above Traefik's limit drops the router",
  ],
  [
    "Traefik ignores a router that two containers define differently",
    "e2e/facts.test.ts",
    "two containers that define a router differently",
  ],
  ["one more than the larger of both", "traefik/live-file.test.ts", "with two containers the live priority"],
  ["one bad file stops all changes", "e2e/facts.test.ts", "one bad file stops all changes of the server"],
  ["no empty sections", "traefik/live-file.test.ts", "probe before the first deploy"],
  ["{{ is escaped", "traefik/live-file.test.ts", "{{ is escaped"],
  ["an escaped {{ is text to Traefik", "e2e/facts.test.ts", "{{ in a rule is text"],
  [
    "without the revision Traefik did not load the file",
    "commands/waits.test.ts",
    "the revision shows that Traefik has loaded the file",
  ],
  [
    "the label router replaces a missing service of the file",
    "e2e/facts.test.ts",
    "a file router whose service is gone",
  ],
  ["rules of version 2", "e2e/facts.test.ts", "rules that only version 2 reads"],
  ["which rules are of version 2", "traefik/labels.test.ts", "needs version 2"],
  ["names are global over all files", "traefik/live-file.test.ts", "every name begins with the role's"],
  [
    "labels turn into the file",
    "traefik/live-file.test.ts",
    "entry points, tls and the rule syntax are as the labels say",
  ],
  ["what labels say works from the file", "e2e/facts.test.ts", "everything that labels say is in the file and works"],
  [
    "middlewares: own ones plain, others with @",
    "traefik/live-file.test.ts",
    "middlewares of the container are in the file",
  ],
  ["TCP routers", "traefik/live-file.test.ts", "TCP routers are in the file as well"],
  ["the catch-all of TCP", "traefik/labels.test.ts", "the catch-all rule of TCP is below"],
  ["asdefault only for version 3", "commands/traefik.test.ts", "Traefik 2 refuses a flag that it does not know"],
  ["redirects do not answer probes", "e2e/facts.test.ts", "redirected at the entry point is no obstacle"],
  ["exposedbydefault=false", "e2e/facts.test.ts", "exposedbydefault=false without the label is refused"],
  ["constraints", "e2e/facts.test.ts", "constraints that the container does not match are named"],
  ["another network", "e2e/facts.test.ts", "a network that Traefik is not on is named"],
  [
    "written next to the directory and moved in",
    "commands/write-live-file.test.ts",
    "a live file is written next to the directory",
  ],
  ["probes need nothing in the image", "e2e/rows.ts", "no shell in the image"],
  [
    "an image that cannot run the check starts without",
    "commands/image-check.test.ts",
    "a kind of image is tested once",
  ],
  ["--health-start-interval takes API 1.44", "commands/app.test.ts", "an engine of API 1.44 checks every 200 ms"],
  ["the first answer does not wait a whole interval", "e2e/health.test.ts", "does not wait a whole interval"],
  ["retry repeats no request that was read", "e2e/facts.test.ts", "a request that the app has read is never repeated"],
  ["no addresses of containers in the file", "traefik/live-file.test.ts", "no address of a container"],
  ["streams remain on the old container until it stops", "e2e/rows.ts", "streams: true"],
  ["a stopped app answers 503", "e2e/facts.test.ts", "a stopped app answers 503"],
];

test.each(FACTS)("%s", (_, file, name) => {
  expect(readFileSync(join(TESTS, file), "utf8")).toContain(name);
});
