import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Body, sh } from "../../src/script/command.ts";
import { ExitStatus } from "../../src/script/exit-status.ts";
import { Captured } from "../../src/script/script.ts";
import { fake, folder, run } from "../support/fake-commands.ts";
import { ensureTraefikImage, pullTraefik, startOrRunTraefik } from "../../src/commands/traefik-boot.ts";
import { createSecondTraefik, createTraefik } from "../../src/commands/traefik.ts";
import { repairSwap, swap } from "../../src/traefik/replace.ts";
import {
  abandonSwap,
  probeOld,
  type Filter,
  makeNext,
  SECOND_PORTS,
  secondName,
  startSecond,
} from "../../src/traefik/swap.ts";
import { joinAsBefore } from "../../src/commands/network.ts";
import { config, line, runnable, traefikHost } from "../support/config.ts";
import { NEXT } from "../../src/shell/constants.ts";

const asked = [{ host: "a.example", path: "/" }];
const noSecrets = new Map();
const second = createSecondTraefik(config(), traefikHost("/d"), noSecrets, {
  name: secondName([]),
  labels: new Map(),
  publish: SECOND_PORTS,
});
const ownProvider = config({
  traefik: { ...config().traefik, args: new Map([["providers.file.filename", "/etc/t.yml"]]) },
});
const pieces: [string, Body][] = [
  ["probeOld", probeOld(asked)],
  [
    "makeNext",
    makeNext(
      createTraefik(config(), traefikHost("/d"), noSecrets, NEXT),
      joinAsBefore(config({ network: "private" }), NEXT),
    ),
  ],
  ["startSecond", startSecond(secondName([]), second, joinAsBefore(config(), secondName([])), new Captured("asked"))],
  ["swap as root", swap({ policy: "unless-stopped", filter: [], keptSeconds: 15 })],
  ["swap with sudo", swap({ policy: "always", filter: ["sudo", "-n"], keptSeconds: undefined })],
  ["swap without rules", swap({ policy: "unless-stopped", filter: undefined, keptSeconds: 15 })],
  ["repairSwap", repairSwap("unless-stopped", [], asked)],
  ["repairSwap without rules", repairSwap("unless-stopped", undefined, [])],
  ["abandonSwap", abandonSwap(new Captured("next"), new Captured("begun"))],
  ["startOrRunTraefik", startOrRunTraefik(config(), traefikHost("/d"), noSecrets)],
  ["startOrRunTraefik without live files", startOrRunTraefik(ownProvider, traefikHost("/d"), noSecrets)],
  ["pullTraefik", pullTraefik(config(), ["docker", "login"])],
  ["ensureTraefikImage", ensureTraefikImage(config(), undefined)],
];

test.each(pieces)("%s is shell that a POSIX sh takes", (_, body) => {
  expect(execaSync("sh", ["-n"], { input: runnable(body), reject: false }).stderr).toBe("");
});

/** An engine that has every container running with a port 80, and writes down what it is told to change. */
function engine(more = ""): void {
  fake(
    "docker",
    `case "$*" in
  ${more}
  *State.Status*) echo running ;;
  *IPAddress*) echo "172.17.0.5 16 " ;;
  *PortBindings*) echo 80/tcp/0.0.0.0/80 ;;
  *State.Pid*) echo none ;;
  *RestartPolicy*) echo always-before ;;
  logs*) ;;
  *) echo "docker $*" >>calls ;;
esac`,
  );
  fake(
    "iptables",
    'case "$*" in *-S*) echo "-A PREROUTING --comment mrsk-swap -j DNAT" ;; *) echo "iptables $*" >>calls ;; esac',
  );
  fake("curl", "printf 200");
}
const calls = () => readFileSync(join(folder(), "calls"), "utf8");
const replaced = (filter: Filter, keptSeconds: number | undefined = 1) =>
  run(sh`out_old_answers='http a.example / 80 200'
${swap({ policy: "unless-stopped", filter, keptSeconds, asked: new Captured("old-answers") })}`);

/** The parts in the order in which the calls have them; without those they lack. */
const inOrder = (text: string, parts: readonly string[]) =>
  parts.filter((part) => text.includes(part)).toSorted((a, b) => text.indexOf(a) - text.indexOf(b));

describe("the order of a swap", () => {
  test("nothing stops before its successor serves", () => {
    engine();
    expect(replaced([])).toMatchObject({ status: 0, stderr: "" });
    const parts = [
      "-I PREROUTING ! -d 127.0.0.0/8 -p tcp --dport 80 -m addrtype --dst-type LOCAL -m comment --comment mrsk-swap -j DNAT --to-destination 172.17.0.5:80",
      "docker update --restart always traefik\n",
      "docker stop -t 60 traefik\n",
      "docker rename traefik traefik-old",
      "docker rename traefik-next traefik",
      "docker start traefik\n",
      "docker update --restart unless-stopped traefik\n",
      "-D PREROUTING --comment mrsk-swap -j DNAT",
      "docker stop -t 60 traefik-swap",
      "docker rm -f traefik-swap traefik-old",
    ];
    expect(inOrder(calls(), parts)).toEqual(parts);
  });

  test("with sudo the rules are made by it", () => {
    engine();
    fake("sudo", '[ "$1" = -n ] && shift; echo "sudo $*" >>calls; exec "$@"');
    expect(replaced(["sudo", "-n"]).status).toBe(0);
    expect(calls()).toContain("sudo iptables -w 5 -t nat -I PREROUTING ");
  });

  test("without rules no packet filter is touched, and the old one ends at once", () => {
    engine();
    const { status, stdout } = replaced(undefined);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Stop the old one\nStart the new one\nclosed \d+\n$/);
    expect(calls()).not.toContain("iptables");
    const parts = ["docker rm -f traefik-trial", "docker kill traefik", "docker rename traefik-next traefik"];
    expect(inOrder(calls(), parts)).toEqual(parts);
  });

  test("a new one that does not serve gives way to the old one, with the policy it had", () => {
    engine(
      "*State.Status*traefik) [ -f back ] && echo running || echo exited ;;\n  'rename traefik-old traefik') touch back ;;",
    );
    const { status, stdout } = replaced([]);
    expect(status).toBe(ExitStatus.NOT_REPLACED);
    expect(stdout).toContain("The new Traefik does not start\nBack to the old one\n");
    expect(calls()).toContain("docker update --restart always-before traefik\n");
    expect(calls()).toContain("iptables -w 5 -t nat -D PREROUTING");
  });

  test("where the packet filter refuses, nothing has happened to the old one", () => {
    engine();
    fake("iptables", '[ "$5" = -S ]');
    expect(replaced([])).toMatchObject({ status: ExitStatus.NOT_REPLACED });
    expect(calls()).toBe("docker rm -f traefik-swap traefik-next\n");
  });

  test("one that never tells a connection to go is not waited for, one that does within the hour for a minute", () => {
    const text = (keptSeconds?: number) => line(swap({ policy: "unless-stopped", filter: [], keptSeconds }));
    expect(text()).toBe(`run_detached "$text_of_replace_bridged" mrsk-swap-process unless-stopped '' never 4 ''`);
    expect(text(15)).toMatch(/ unless-stopped '' 18 4 ''$/);
    expect(text(3600)).toMatch(/ unless-stopped '' 60 4 ''$/);
  });

  test("it outlives its connection, under a name that the next run finds", () => {
    engine("'stop -t 60 traefik') ps -o sid=,args= -p $PPID >session ;;");
    expect(replaced([]).status).toBe(0);
    const session = readFileSync(join(folder(), "session"), "utf8");
    expect(session).toContain("mrsk-swap-process");
    expect(Number(/\d+/.exec(session)![0])).not.toBe(
      Number(spawnSync("ps", ["-o", "sid=", "-p", String(process.pid)], { encoding: "utf8" }).stdout),
    );
  });
});

test("what an interrupted swap has left is repaired: one Traefik, no rule", () => {
  engine(
    "*State.Status*traefik) [ -f back ] && echo running || echo gone ;;\n  'rename traefik-old traefik') touch back; echo \"docker $*\" >>calls ;;\n  *Labels*) exit 1 ;;",
  );
  expect(run(repairSwap("unless-stopped", [], asked))).toMatchObject({ status: 0, stderr: "" });
  const parts = [
    "docker rename traefik-old traefik",
    "docker start traefik",
    "docker update --restart unless-stopped traefik",
    "-D PREROUTING",
    "docker stop -t 60 traefik-swap",
    "docker rm -f traefik-swap",
    "docker rm -f traefik-trial traefik-next traefik-old",
  ];
  expect(inOrder(calls(), parts)).toEqual(parts);
});

test("without the packet filter the second one is left to a run that may use it", () => {
  engine("*Labels*) exit 1 ;;");
  expect(run(repairSwap("unless-stopped", undefined, [])).status).toBe(0);
  expect(calls()).not.toMatch(/iptables|rm -f traefik-swap/);
});

test("a second that may carry requests and one that is only tried have different names: only the first has rules", () => {
  expect([secondName([]), secondName(["sudo", "-n"]), secondName(undefined)]).toEqual([
    "traefik-swap",
    "traefik-swap",
    "traefik-trial",
  ]);
});
