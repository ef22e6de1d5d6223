import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import type { Body } from "../../src/commands/command.ts";
import {
  ensureTraefikImage,
  makeLiveDirectory,
  pullTraefik,
  startOrRunTraefik,
} from "../../src/commands/traefik-boot.ts";
import { createSecondTraefik, createTraefik } from "../../src/commands/traefik.ts";
import { mendSwap, swap } from "../../src/commands/traefik-replace.ts";
import {
  abandonSwap,
  askTheOld,
  lookForSwap,
  makeNext,
  NEXT,
  secondName,
  startSecond,
} from "../../src/commands/traefik-swap.ts";
import { joinAsBefore } from "../../src/commands/network.ts";
import { config, line } from "./support.ts";

const asked = [{ host: "a.example", path: "/" }];
const noSecrets = new Map();
const second = createSecondTraefik(config(), "/d", noSecrets, { name: secondName([]), labels: new Map() });
const pieces: [string, Body][] = [
  ["lookForSwap", lookForSwap()],
  ["askTheOld", askTheOld(asked)],
  [
    "makeNext",
    makeNext(createTraefik(config(), "/d", noSecrets, NEXT), joinAsBefore(config({ network: "private" }), NEXT)),
  ],
  ["startSecond", startSecond(secondName([]), second, joinAsBefore(config(), secondName([])))],
  ["swap as root", swap("unless-stopped", [])],
  ["swap with sudo", swap("always", ["sudo", "-n"])],
  ["swap without rules", swap("unless-stopped", undefined)],
  ["mendSwap", mendSwap("unless-stopped", [], asked)],
  ["mendSwap without rules", mendSwap("unless-stopped", undefined, [])],
  ["abandonSwap", abandonSwap()],
  ["makeLiveDirectory", makeLiveDirectory("/var/lib/mrsk/traefik")],
  ["startOrRunTraefik", startOrRunTraefik(config(), "/d", noSecrets)],
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
      "docker update --restart always traefik",
      "docker stop -t 60 traefik ",
      "docker rename traefik-next traefik",
      "await traefik) ||",
      "docker update --restart unless-stopped traefik",
      "\nunredirect\n",
      "docker stop -t 60 traefik-swap",
      "docker rm -f traefik-swap traefik-old",
    ];
    expect(inOrder(line(swap("unless-stopped", ["sudo", "-n"])), parts)).toEqual(parts);
  });

  test("without rules no packet filter is touched, and the old one ends at once", () => {
    const text = line(swap("unless-stopped", undefined));
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

  test("it outlives its connection", () => {
    expect(line(swap("unless-stopped", []))).toMatch(/^log=\$\(mktemp\)\nsetsid sh -c '/);
  });
});

test("a second that may carry requests and one that is only tried have different names: only the first has rules", () => {
  expect([secondName([]), secondName(["sudo", "-n"]), secondName(undefined)]).toEqual([
    "traefik-swap",
    "traefik-swap",
    "traefik-trial",
  ]);
  expect(line(mendSwap("unless-stopped", undefined, []))).not.toMatch(/docker rm -f traefik-swap/);
});
