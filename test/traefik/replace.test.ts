import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Body, sh } from "../../src/script/command.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";
import { Captured } from "../../src/script/script.ts";
import { fake, folder, run } from "../support/fake-commands.ts";
import { ensureTraefikImage, pullTraefik, startOrRunTraefik } from "../../src/commands/traefik-boot.ts";
import { createSecondTraefik, createTraefik, findTlsPort } from "../../src/commands/traefik.ts";
import {
  abandonReplacement,
  createNext,
  type Filter,
  recordAnswers,
  repairReplacement,
  replaceTraefik,
  SECOND_PORTS,
  secondName,
  startSecond,
} from "../../src/traefik/replace.ts";
import { joinAsBefore } from "../../src/commands/network.ts";
import { config, line, runnable, traefikHost } from "../support/config.ts";
import { NEXT } from "../../src/shell/constants.ts";

const requests = [{ host: "a.example", path: "/" }];
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
  ["recordAnswers", recordAnswers(requests)],
  [
    "createNext",
    createNext(
      findTlsPort(config()),
      createTraefik(config(), traefikHost("/d"), noSecrets, NEXT),
      joinAsBefore(config({ network: "private" }), NEXT),
    ),
  ],
  [
    "startSecond",
    startSecond(secondName([]), second, joinAsBefore(config(), secondName([])), new Captured("old-answers")),
  ],
  ["replaceTraefik as root", replaceTraefik({ policy: "unless-stopped", filter: [], keepAliveSeconds: 15 })],
  [
    "replaceTraefik with sudo",
    replaceTraefik({ policy: "always", filter: ["sudo", "-n"], keepAliveSeconds: undefined }),
  ],
  [
    "replaceTraefik without rules",
    replaceTraefik({ policy: "unless-stopped", filter: undefined, keepAliveSeconds: 15 }),
  ],
  ["repairReplacement", repairReplacement("unless-stopped", [], requests)],
  ["repairReplacement without rules", repairReplacement("unless-stopped", undefined, [])],
  ["abandonReplacement", abandonReplacement(new Captured("next"), new Captured("begun"))],
  ["startOrRunTraefik", startOrRunTraefik(config(), traefikHost("/d"), noSecrets)],
  ["startOrRunTraefik without live files", startOrRunTraefik(ownProvider, traefikHost("/d"), noSecrets)],
  ["pullTraefik", pullTraefik(config(), ["docker", "login"])],
  ["ensureTraefikImage", ensureTraefikImage(config(), undefined)],
];

test.each(pieces)("%s is valid POSIX shell", (_, body) => {
  expect(execaSync("sh", ["-n"], { input: runnable(body), reject: false }).stderr).toBe("");
});

/** An engine with every container running with port 80. It records its changing commands. */
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
const replaced = (filter: Filter, keepAliveSeconds: number | undefined = 1) =>
  run(sh`out_old_answers='http a.example / 80 200'
${replaceTraefik({ policy: "unless-stopped", filter, keepAliveSeconds, answers: new Captured("old-answers") })}`);

/** The parts that the calls contain, in the order of the calls. */
const inOrder = (text: string, parts: readonly string[]) =>
  parts.filter((part) => text.includes(part)).toSorted((a, b) => text.indexOf(a) - text.indexOf(b));

describe("the order of a replacement", () => {
  test("no Traefik stops before its successor serves", () => {
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

  test("sudo adds the rules", () => {
    engine();
    fake("sudo", '[ "$1" = -n ] && shift; echo "sudo $*" >>calls; exec "$@"');
    expect(replaced(["sudo", "-n"]).status).toBe(0);
    expect(calls()).toContain("sudo iptables -w 5 -t nat -I PREROUTING ");
  });

  test("without rules the packet filter remains unchanged, and the old Traefik is killed", () => {
    engine();
    const { status, stdout } = replaced(undefined);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Stop the old Traefik\nStart the new Traefik\nclosed \d+\n$/);
    expect(calls()).not.toContain("iptables");
    const parts = ["docker rm -f traefik-trial", "docker kill traefik", "docker rename traefik-next traefik"];
    expect(inOrder(calls(), parts)).toEqual(parts);
  });

  test("if the new Traefik does not serve, the old one starts again, with its restart policy", () => {
    engine(
      "*State.Status*traefik) [ -f back ] && echo running || echo exited ;;\n  'rename traefik-old traefik') touch back ;;",
    );
    const { status, stdout } = replaced([]);
    expect(status).toBe(ExitStatus.NOT_REPLACED);
    expect(stdout).toContain("The new Traefik does not start\nStart the old Traefik again\n");
    expect(calls()).toContain("docker update --restart always-before traefik\n");
    expect(calls()).toContain("iptables -w 5 -t nat -D PREROUTING");
  });

  test("if the packet filter refuses the rules, the old Traefik remains unchanged", () => {
    engine();
    fake("iptables", '[ "$5" = -S ]');
    expect(replaced([])).toMatchObject({ status: ExitStatus.NOT_REPLACED });
    expect(calls()).toBe("docker rm -f traefik-swap traefik-next\n");
  });

  test("without keepAliveMaxTime there is no wait for connections, with one hour the wait takes a minute", () => {
    const text = (keepAliveSeconds?: number) =>
      line(replaceTraefik({ policy: "unless-stopped", filter: [], keepAliveSeconds }));
    expect(text()).toBe(`run_detached "$text_of_replace_with_second" mrsk-swap-process unless-stopped '' never 4 ''`);
    expect(text(15)).toMatch(/ unless-stopped '' 18 4 ''$/);
    expect(text(3600)).toMatch(/ unless-stopped '' 60 4 ''$/);
  });

  test("it outlives the connection, and the next run finds its process", () => {
    engine("'stop -t 60 traefik') ps -o sid=,args= -p $PPID >session ;;");
    expect(replaced([]).status).toBe(0);
    const session = readFileSync(join(folder(), "session"), "utf8");
    expect(session).toContain("mrsk-swap-process");
    expect(Number(/\d+/.exec(session)![0])).not.toBe(
      Number(spawnSync("ps", ["-o", "sid=", "-p", String(process.pid)], { encoding: "utf8" }).stdout),
    );
  });
});

test("an interrupted replacement is repaired: one Traefik, no rule", () => {
  engine(
    "*State.Status*traefik) [ -f back ] && echo running || echo gone ;;\n  'rename traefik-old traefik') touch back; echo \"docker $*\" >>calls ;;\n  *Labels*) exit 1 ;;",
  );
  expect(run(repairReplacement("unless-stopped", [], requests))).toMatchObject({ status: 0, stderr: "" });
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

test("without the packet filter the second Traefik remains, for a run that can remove its rules", () => {
  engine("*Labels*) exit 1 ;;");
  expect(run(repairReplacement("unless-stopped", undefined, [])).status).toBe(0);
  expect(calls()).not.toMatch(/iptables|rm -f traefik-swap/);
});

test("a second Traefik with rules and one for a test have different names", () => {
  expect([secondName([]), secondName(["sudo", "-n"]), secondName(undefined)]).toEqual([
    "traefik-swap",
    "traefik-swap",
    "traefik-trial",
  ]);
});
