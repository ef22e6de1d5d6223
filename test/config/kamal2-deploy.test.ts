import { expect, test } from "vitest";
import { parse } from "yaml";
import { transcriptOf, type Written } from "../support/transcript.ts";

const deployed = (yaml: string, circumstances = {}) =>
  transcriptOf({ builder: { arch: "arm64" }, ...(parse(yaml) as Written) }, circumstances);

test("a deploy with the defaults of Kamal 2: lock, network, variables, labels, port and time limit", async () => {
  const seen = await deployed("{}");
  expect(seen).toContain(".kamal/lock-app");
  expect(seen).toContain("buildx build --push --platform linux/arm64 ");
  const run = /docker run .*--name app-web-2 .*/.exec(seen)![0];
  for (const part of [
    "--network kamal ",
    "-e MRSK_VERSION=2 ",
    "-e KAMAL_CONTAINER_NAME=app-web-2 ",
    "-e KAMAL_VERSION=2 ",
    "-e KAMAL_HOST=10.0.0.1 ",
    "--label destination ",
    "loadbalancer.server.port=80 ",
    ".loadbalancer.serverstransport=app-web-timeout-30s@file ",
    "--health-timeout 5s ",
    "--health-start-period 30s ",
  ]) {
    expect(run).toContain(part);
  }
  expect(seen).toMatch(/wait_route .*\.mrsk \/up \S+ 5 1 30 50$/m);
});

test("a deploy of an MRSK file has none of it", async () => {
  const seen = await transcriptOf({});
  expect(seen).not.toMatch(/kamal|KAMAL_|--label destination|--health-timeout/);
});

test("options.restart is set when the container is live", async () => {
  const seen = await deployed("servers: {web: {hosts: [10.0.0.1], options: {restart: always}}}");
  expect(seen).toContain("docker update --restart always app-web-2");
  expect(seen).not.toContain("unless-stopped app-web-2");
});

test("a secret with another name", async () => {
  const seen = await deployed('env: {secret: ["TOKEN:OTHER"]}');
  expect(seen).toMatch(/TOKEN="?<OTHER>"? docker run .*-e TOKEN /);
});

test("a build argument without a value has that of this machine", async () => {
  const seen = await deployed("builder: {arch: arm64, args: {A: '1', B: ''}}");
  expect(seen).toMatch(/A="?<A>"? docker buildx build .*--build-arg A --build-arg B /);
});

test.each(["deploy", "accessory boot"] as const)(
  "%s refuses what is not supported yet, before it acts",
  async (command) => {
    const proxy = "{host: db.example.com, ssl: true, response_timeout: 60}";
    const accessories = `accessories: {db: {image: redis:7, host: 10.0.0.5, proxy: ${proxy}}}`;
    expect(await deployed(accessories, { command })).toMatch(
      /ERROR: deploy\.yml:\d+:\d+: accessories\/db\/proxy\/ssl: not supported yet: .*\ndeploy\.yml:\d+:\d+: accessories\/db\/proxy\/response_timeout: not supported yet: .*$/,
    );
  },
);
