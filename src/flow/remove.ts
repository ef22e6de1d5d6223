import { sh } from "../script/command.ts";
import { IMAGES_FILE } from "../commands/image-check.ts";
import { auditFile } from "../config/names.ts";
import { versionsFile } from "../commands/versions.ts";
import { attempt, script } from "../script/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { hasAccessories, removeAccessory } from "./accessory.ts";
import { removeApp } from "./app/removal.ts";
import { withLock } from "./lock.ts";
import { logout } from "./registry.ts";
import { appHosts, type Run } from "./run.ts";
import { removeTraefik } from "./traefik/removal.ts";
import { SHARED_DIRECTORY } from "../shell/constants.ts";

/** `remove`: asks once, then removes everything of the service except the audit logs. */
export async function remove(run: Run, { confirmed }: { confirmed: boolean }): Promise<void> {
  if (!confirmed && !(await run.confirm("This will remove all containers and images. Are you sure?"))) {
    run.print("Aborted\n");
    return;
  }
  await withLock(run, async () => {
    if (run.selection.app.length > 0) await removeApp(run);
    if (run.selection.traefik.length > 0) await removeTraefik(run, { force: false });
    if (hasAccessories(run)) await removeAccessory(run, "all", { confirmed: true });
    if (run.selection.app.length > 0) await logout(run, { skipLocal: true });
    if (run.selection.app.length > 0) await removeRecords(run);
  });
  await removeRunDirectory(run);
  run.print(`The audit log remains on each host: ~/${auditFile(run.config)}\n`);
}

/** Called while the lock is held: the next deploy writes these files again. */
async function removeRecords(run: Run): Promise<void> {
  const { config } = run;
  const body = sh`rm -f ${versionsFile(config)} ${`${config.runDirectory}/${IMAGES_FILE}`}`;
  await onHosts(appHosts(run), (host) => host.run(script("Remove records", [attempt("Remove records", body)])));
}

/** Removes empty folders only: another service's lock or live file keeps its folder. */
async function removeRunDirectory(run: Run): Promise<void> {
  const { runDirectory } = run.config;
  const body = sh`[ "$(docker ps --all --quiet --filter name=^traefik$)" ] || rmdir ${`${runDirectory}/traefik`} ${`${SHARED_DIRECTORY}/traefik`} ${SHARED_DIRECTORY} 2>/dev/null || true
rmdir ${runDirectory} 2>/dev/null || true`;
  const names = new Set([...run.selection.app.map(({ host }) => host), ...run.selection.traefik]);
  await onHosts(
    [...names].map((name) => run.host(name)),
    (host) => host.run(script("Remove empty folders", [attempt("Remove empty folders", body)])),
  );
}
