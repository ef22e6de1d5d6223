import type { FakeHost } from "./fake-host.ts";

/** Traefik as mrsk starts it, as docker inspects it. */
export const TRAEFIK = {
  image: "traefik:v3.7.15",
  state: "running",
  args: ["--providers.docker", "--providers.file.directory=/etc/traefik/mrsk"],
  labels: {},
  networks: { bridge: { IPAddress: "172.17.0.2" } },
  mounts: [{ Source: "/root/.mrsk/traefik", Destination: "/etc/traefik/mrsk" }],
  ports: { "80/tcp": [{ HostIp: "", HostPort: "80" }], "8082/tcp": [{ HostIp: "127.0.0.1", HostPort: "18082" }] },
};

export interface Look {
  /** Containers of the service as docker inspects them. */
  readonly containers?: readonly object[];
  readonly traefik?: object | undefined;
  readonly user?: "root" | "sudoer" | "ada";
  /** Names of other containers on the host. */
  readonly others?: readonly string[];
  readonly liveDirectory?: string;
  readonly liveFiles?: ReadonlyMap<string, string>;
}

/** Lets a fake host answer what it is asked before anything is decided. */
export function answersLook(
  host: FakeHost,
  { containers = [], traefik, user = "root", others = [], liveDirectory, liveFiles = new Map() }: Look = {},
): FakeHost {
  const id = { root: "uid=0(root)\n/root", sudoer: "uid=1000(sudoer)\n/home/sudoer", ada: "uid=1000(ada)\n/home/ada" };
  const files = Array.from(liveFiles, ([name, text]) => `${name}\n ${Buffer.from(text).toString("base64")}`);
  const json = [...containers, ...(traefik ? [traefik] : [])].map((one) => JSON.stringify(one));
  return host
    .replies(/^Docker engine$/, "26.1.5 1.45 1.24")
    .replies(/^Login user's rights$/, { root: "", sudoer: "sudo -n", ada: "nobody" }[user])
    .replies(/^Login user$/, `${id[user]}\nyes\n/dev/vda 20000 10000 10000 50% /`)
    .replies(/^List containers$/, others.map((name) => `id\t${name}\t\t`).join("\n"))
    .replies(/^Inspect containers$/, json.join("\n"))
    .replies(/^Containers$/, containers.map((one) => JSON.stringify(one)).join("\n"))
    .replies(/^Traefik$/, JSON.stringify(traefik ?? ""))
    .replies(/^Live files$/, [liveDirectory ?? "/root/.mrsk/traefik", "writable", ...files].join("\n"));
}
