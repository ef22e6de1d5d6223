// A deploy to many hosts whose engines answer at once: one sshd stands for all of them, each address a host with a home of
// its own. What is measured is mrsk and sshd, nothing else.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { environment, root, round, runMrsk } from "./measure.mjs";

const PORT = 2229;
const USER = "mrsk-bench";
/** Hundreds of hosts do not share one disk: their files are in memory, where the machine has such a place. */
const MEMORY = "/dev/shm";

/** `count` addresses of this machine's loopback. */
export function addresses(count) {
  return Array.from({ length: count }, (_, i) => `127.0.${1 + Math.floor(i / 250)}.${2 + (i % 250)}`);
}

/**
 * Starts sshd for the farm, with a home for each of the `hosts`. `settings` are lines of its configuration; without any
 * it has room for every host at once. With `forward` it is a bastion: connections go through it, nothing runs on it.
 */
export async function startFarm(hosts, settings = ["MaxStartups 2000:30:4000"], { port = PORT, forward = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-farm-"));
  const homes = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "mrsk-farm-homes-"));
  chmodSync(folder, 0o755);
  const user = loginUser();
  cpSync(join(root, "test/bench/farm"), join(folder, "bin"), { recursive: true });
  chmodSync(homes, 0o755);
  const { uid, gid } = idsOf(user);
  for (const host of hosts) {
    mkdirSync(join(homes, host));
    chownSync(join(homes, host), uid, gid);
  }
  for (const key of ["id", "host_key"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, key)]);
  }
  cpSync(join(folder, "id.pub"), join(folder, "authorized_keys"));
  const lines = [
    `Port ${port}`,
    "ListenAddress 0.0.0.0",
    `HostKey ${join(folder, "host_key")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "UsePAM no",
    "StrictModes no",
    "PasswordAuthentication no",
    `SetEnv PATH=${join(folder, "bin")}:/usr/bin:/bin FARM_HOMES=${homes}`,
    ...(forward ? [] : [`ForceCommand ${join(folder, "bin/login")}`]),
    `PidFile ${join(folder, "pid")}`,
    "LogLevel ERROR",
    ...settings,
  ];
  writeFileSync(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  // The shell says at the end what sshd and all that it ran took.
  const daemon = spawn("/bin/bash", ["-c", `/usr/sbin/sshd -D -e -f ${join(folder, "sshd_config")}; times`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let said = "";
  daemon.stdout.on("data", (bytes) => (said += bytes));
  await answers(port);
  return {
    folder,
    homes,
    user,
    port,
    key: join(folder, "id"),
    /** @returns milliseconds of CPU that the hosts' side took in all */
    stop: async () => {
      process.kill(Number(readFileSync(join(folder, "pid"), "utf8")));
      await new Promise((resolve) => daemon.on("close", resolve));
      for (const made of [folder, homes]) rmSync(made, { recursive: true, force: true });
      // A second sshd may still use it.
      if (user === USER) spawnSync("userdel", [USER], { stdio: "ignore" });
      return [
        ...said
          .trim()
          .split("\n")
          .at(-1)
          .matchAll(/(\d+)m([\d.]+)s/g),
      ].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000, 0);
    },
  };
}

/** A login shell with slow start-up files would be what is measured: as root, a user without any. */
function loginUser() {
  if (userInfo().uid !== 0) return userInfo().username;
  try {
    execFileSync("id", [USER], { stdio: "ignore" });
  } catch {
    execFileSync("useradd", ["--system", "--no-create-home", "--shell", "/bin/sh", "--password", "*", USER]);
  }
  return USER;
}

function idsOf(user) {
  const id = (flag) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function answers(port) {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true) ?? socket.destroy()).on("error", () =>
        resolve(false),
      );
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("sshd did not start");
}

/** A project whose servers are `hosts`. `ssh` goes over what reaches the farm directly. */
export function farmProject(farm, hosts, ssh = {}) {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-farm-project-"));
  mkdirSync(join(folder, "config"));
  writeFileSync(join(folder, "ssh_config"), `Host *\n  UserKnownHostsFile ${join(farm.folder, "known_hosts")}\n`);
  writeFileSync(join(folder, ".env"), "MRSK_REGISTRY_PASSWORD=none\n");
  writeFileSync(
    join(folder, "config/deploy.yml"),
    JSON.stringify({
      service: "farm",
      image: "lab/farm",
      servers: hosts,
      registry: { server: "registry.invalid", username: "u", password: ["MRSK_REGISTRY_PASSWORD"] },
      ssh: {
        user: farm.user,
        port: farm.port,
        keys: [farm.key],
        keys_only: true,
        config: [join(folder, "ssh_config")],
        ...ssh,
      },
      boot: { watch: 0 },
      drain_timeout: 0,
    }),
  );
  const env = {
    ...environment,
    PATH: `${join(farm.folder, "bin")}:${environment.PATH}`,
    FARM_HOMES: farm.homes,
    HOME: folder,
  };
  return {
    folder,
    deploy: (version) => runMrsk(["deploy", "-P", "--version", version], { cwd: folder, env }),
  };
}

/** `deploy -P` to more and more hosts: what one more costs. */
export async function fleet(sizes = [1, 50, 200, 250]) {
  const rows = {};
  let before;
  for (const size of sizes) {
    const hosts = addresses(size);
    const farm = await startFarm(hosts);
    const project = farmProject(farm, hosts);
    let run;
    try {
      run = await project.deploy("one");
    } finally {
      run = { ...run, hosts: await farm.stop() };
    }
    const added = before && (run.milliseconds - before.milliseconds) / (size - before.size);
    rows[size] = {
      seconds: round(run.milliseconds / 1000),
      "ms per added host": added ? round(added, 1) : "",
      "CPU ms a host, mrsk": round(run.cpuMilliseconds / size, 1),
      "sshd and scripts": round(run.hosts / size, 1),
      MB: round(run.megabytes, 0),
    };
    before = { size, milliseconds: run.milliseconds };
  }
  console.log("deploy -P, engines that answer at once, by hosts");
  console.table(rows);
}
