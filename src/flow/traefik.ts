import { sh } from "../commands/command.ts";
import { joinNewTraefik, networkSteps } from "../commands/network.ts";
import { attempt, script, step } from "../commands/script.ts";
import {
  removeTraefikImage,
  runTraefik,
  startTraefikContainer,
  stopTraefikContainer,
  TRAEFIK,
  traefikStatus,
} from "../commands/traefik.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { audit } from "./audit.ts";
import { runHook } from "./hook.ts";
import { withLock } from "./lock.ts";
import { observeHosts } from "./observe.ts";
import { startOrRunTraefik } from "./phases.ts";
import { printBlock, type Run } from "./run.ts";
import { environmentSecrets } from "./secrets.ts";

/** Other services on the host have put it on theirs. */
const NETWORK_NAMES = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";

function traefikHosts(run: Run) {
  return run.selection.traefik.map((host) => run.host(host));
}

/** Absent: run it. Stopped: start it. Running: leave it. Anything that fails is an error. */
export async function bootTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const secrets = await environmentSecrets(run, run.config.traefik.env, "traefik/env");
    const facts = await observeHosts(run, traefikHosts(run));
    await onHosts(traefikHosts(run), async (host) => {
      const { liveDirectory } = facts.get(host.name)!;
      await host.run(
        script("Boot Traefik", [
          ...networkSteps(run.config),
          step("Start Traefik", startOrRunTraefik(run.config, liveDirectory, secrets)),
        ]),
      );
    });
  });
}

/** Replaces the container. New connections are refused for about half a second meanwhile. */
export async function rebootTraefik(
  run: Run,
  { rolling, confirmed }: { rolling: boolean; confirmed: boolean },
): Promise<void> {
  const question =
    "This will replace Traefik's container, and refuse connections for about half a second on each host. Are you sure?";
  if (!confirmed && !(await run.confirm(question))) {
    run.print("Aborted\n");
    return;
  }
  await withLock(run, async () => {
    const hosts = traefikHosts(run);
    for (const group of rolling ? hosts.map((host) => [host]) : [hosts]) {
      const names = group.map((host) => host.name).join(",");
      await runHook(run, "pre-traefik-reboot", { MRSK_HOSTS: names });
      const secrets = await environmentSecrets(run, run.config.traefik.env, "traefik/env");
      const facts = await observeHosts(run, group);
      const line = await audit(run, "Rebooted traefik");
      await onHosts(group, async (host) => {
        const { home } = facts.get(host.name)!;
        const directory = `${home}/${run.config.runDirectory}/traefik`;
        const start = runTraefik(run.config, directory, secrets);
        await host.run(
          script("Reboot Traefik", [
            line,
            step(
              "Pull Traefik's image",
              sh`docker image inspect ${run.config.traefik.image} >/dev/null 2>&1 || docker pull ${run.config.traefik.image}`,
            ),
            ...networkSteps(run.config),
            step(
              "Replace the container",
              sh`mkdir -p ${directory}
networks=$(docker inspect --type container --format ${NETWORK_NAMES} ${TRAEFIK} 2>/dev/null) || networks=
docker rm -f ${TRAEFIK} >/dev/null 2>&1 || true
${start}
${joinNewTraefik(run.config)}
for network in $networks; do docker network connect "$network" ${TRAEFIK} 2>/dev/null || true; done`,
            ),
          ]),
        );
        run.report({ kind: "note", host: host.name, text: "Traefik is new" });
      });
      await runHook(run, "post-traefik-reboot", { MRSK_HOSTS: names });
    }
  });
}

export async function startTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [await audit(run, "Started traefik"), step("Start Traefik", startTraefikContainer())];
    await onHosts(traefikHosts(run), (host) => host.run(script("Start Traefik", steps)));
  });
}

export async function stopTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [await audit(run, "Stopped traefik"), attempt("Stop Traefik", stopTraefikContainer())];
    await onHosts(traefikHosts(run), (host) => host.run(script("Stop Traefik", steps)));
  });
}

export async function restartTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    await stopTraefik(run);
    await startTraefik(run);
  });
}

export async function traefikDetails(run: Run): Promise<void> {
  const work = script("Traefik", [step("Traefik", traefikStatus())]);
  await onHosts(traefikHosts(run), async (host) =>
    printBlock(run, "Traefik", host.name, (await host.run(work)).text("Traefik")),
  );
}

/** Stays where another service on that host has containers with Traefik's labels, unless forced. */
export async function removeTraefik(run: Run, { force }: { force: boolean }): Promise<void> {
  await withLock(run, async () => {
    const others = sh`docker ps --all --format '{{.Label "service"}} {{.Labels}}' | grep -F 'traefik.' | cut -d' ' -f1 | grep -vxF ${run.config.service} | sort -u`;
    await onHosts(traefikHosts(run), async (host) => {
      const seen = await host.run(script("Look who uses Traefik", [attempt("Others", others)]));
      const users = seen.text("Others").split("\n").filter(Boolean);
      if (users.length > 0 && !force) {
        run.report({
          kind: "note",
          host: host.name,
          text: `Traefik stays: ${users.join(", ")} use${users.length === 1 ? "s" : ""} it`,
        });
        return;
      }
      await host.run(
        script("Remove Traefik", [
          await audit(run, "Removed traefik container"),
          step(
            "Remove Traefik",
            sh`docker rm -f ${TRAEFIK} 2>/dev/null || ! docker inspect --type container ${TRAEFIK} >/dev/null 2>&1`,
          ),
          await audit(run, "Removed traefik image"),
          attempt("Remove Traefik's image", removeTraefikImage()),
        ]),
      );
    });
  });
}
