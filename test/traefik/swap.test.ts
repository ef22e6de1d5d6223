import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import type { Body } from "../../src/script/command.ts";
import {
  ensureTraefikImage,
  makeLiveDirectory,
  pullTraefik,
  startOrRunTraefik,
} from "../../src/commands/traefik-boot.ts";
import { createSecondTraefik, createTraefik } from "../../src/commands/traefik.ts";
import { repairSwap, swap } from "../../src/traefik/replace.ts";
import {
  abandonSwap,
  probeOld,
  lookForRules,
  makeNext,
  NEXT,
  secondName,
  startSecond,
} from "../../src/traefik/swap.ts";
import { joinAsBefore } from "../../src/commands/network.ts";
import { config, line, traefikHost } from "../commands/support.ts";

const asked = [{ host: "a.example", path: "/" }];
const noSecrets = new Map();
const second = createSecondTraefik(config(), traefikHost("/d"), noSecrets, { name: secondName([]), labels: new Map() });
const pieces: [string, Body][] = [
  ["lookForRules", lookForRules()],
  ["askTheOld", probeOld(asked)],
  [
    "makeNext",
    makeNext(
      createTraefik(config(), traefikHost("/d"), noSecrets, NEXT),
      joinAsBefore(config({ network: "private" }), NEXT),
    ),
  ],
  ["startSecond", startSecond(secondName([]), second, joinAsBefore(config(), secondName([])))],
  ["swap as root", swap({ policy: "unless-stopped", filter: [], keptSeconds: 15 })],
  ["swap with sudo", swap({ policy: "always", filter: ["sudo", "-n"], keptSeconds: undefined })],
  ["swap without rules", swap({ policy: "unless-stopped", filter: undefined, keptSeconds: 15 })],
  ["mendSwap", repairSwap("unless-stopped", [], asked)],
  ["mendSwap without rules", repairSwap("unless-stopped", undefined, [])],
  ["abandonSwap", abandonSwap()],
  ["makeLiveDirectory", makeLiveDirectory("/var/lib/mrsk/traefik")],
  ["startOrRunTraefik", startOrRunTraefik(config(), traefikHost("/d"), noSecrets)],
  ["pullTraefik", pullTraefik(config(), ["docker", "login"])],
  ["ensureTraefikImage", ensureTraefikImage(config(), undefined)],
];

test.each(pieces)("%s is shell that a POSIX sh takes", (_, body) => {
  expect(execaSync("sh", ["-n"], { input: line(body), reject: false }).stderr).toBe("");
});

describe("the order of a swap", () => {
  /** The parts in the order in which the text has them; without those it lacks. */
  const inOrder = (text: string, parts: readonly string[]) =>
    parts.filter((part) => text.includes(part)).toSorted((a, b) => text.lastIndexOf(a) - text.lastIndexOf(b));

  test("nothing stops before its successor serves", () => {
    const parts = [
      "if ! redirect",
      "let_go traefik 18",
      "docker update --restart always traefik",
      "docker stop -t 60 traefik ",
      "docker rename traefik-next traefik",
      "await traefik) ||",
      "docker update --restart unless-stopped traefik",
      "\nunredirect\n",
      "let_go traefik-swap 4",
      "docker stop -t 60 traefik-swap",
      "docker rm -f traefik-swap traefik-old",
    ];
    expect(inOrder(line(swap({ policy: "unless-stopped", filter: ["sudo", "-n"], keptSeconds: 15 })), parts)).toEqual(
      parts,
    );
  });

  test("without rules no packet filter is touched, and the old one ends at once", () => {
    const text = line(swap({ policy: "unless-stopped", filter: undefined, keptSeconds: 15 }));
    expect(text).not.toMatch(/if ! redirect|\nunredirect\n/);
    expect(text).not.toContain("iptables");
    const parts = [
      "docker rm -f traefik-trial",
      "since=$(clock)",
      "docker kill traefik",
      "docker rename traefik-next traefik",
    ];
    expect(inOrder(text, parts)).toEqual(parts);
  });

  test("one that never tells a connection to go is not waited for, one that does within the hour for a minute", () => {
    const text = (keptSeconds?: number) => line(swap({ policy: "unless-stopped", filter: [], keptSeconds }));
    expect(text()).not.toContain("let_go traefik ");
    expect(text(3600)).toContain("let_go traefik 60");
  });

  test("it outlives its connection", () => {
    expect(line(swap({ policy: "unless-stopped", filter: [], keptSeconds: 15 }))).toMatch(
      /^log=\$\(mktemp\)\nsetsid sh -c '/,
    );
  });
});

test("a second that may carry requests and one that is only tried have different names: only the first has rules", () => {
  expect([secondName([]), secondName(["sudo", "-n"]), secondName(undefined)]).toEqual([
    "traefik-swap",
    "traefik-swap",
    "traefik-trial",
  ]);
  expect(line(repairSwap("unless-stopped", undefined, []))).not.toMatch(/docker rm -f traefik-swap/);
});
