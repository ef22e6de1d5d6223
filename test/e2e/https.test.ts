import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";

const A = "a";
/** `a4.lab.test`: the name of a server for this machine and for the authority. */
const nameOf = (server: string) => `${lab[`LAB_${server.toUpperCase()}_CONTAINER`]!.replace("mrsk-lab-", "")}.lab.test`;

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
  readonly issuer: string | undefined;
  readonly serial: string | undefined;
}

/**
 * GET of a URL on a new connection, without a check of the certificate. Status 0: no answer.
 * @param address to connect to, instead of the name's own
 */
function get(url: string, address?: string): Promise<Answer> {
  return new Promise((done) => {
    const send = url.startsWith("https:") ? tlsRequest : plainRequest;
    const { hostname } = new URL(url);
    const to = address === undefined ? {} : { host: address, servername: hostname, headers: { host: hostname } };
    const outgoing = send(url, { agent: false, rejectUnauthorized: false, ...to }, (response) => {
      const socket = response.socket as Partial<TLSSocket>;
      const certificate = socket.getPeerCertificate?.();
      const [issuer, serial] = [certificate?.issuer?.CN as string | undefined, certificate?.serialNumber];
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () =>
        done({ status: response.statusCode!, location: response.headers.location, text, issuer, serial }),
      );
    });
    outgoing
      .on("error", (error) =>
        done({ status: 0, location: undefined, text: error.message, issuer: undefined, serial: undefined }),
      )
      .end();
  });
}

/** Version of TLS and protocol of a connection; `refused` without one. */
function handshake(name: string, options: ConnectionOptions): Promise<string> {
  return new Promise((done) => {
    const ciphers = "DEFAULT@SECLEVEL=0";
    const socket = connect({ host: name, port: 443, servername: name, rejectUnauthorized: false, ciphers, ...options });
    socket.on("error", () => done("refused"));
    socket.on("secureConnect", () => {
      done(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
  });
}

/** Requests one after another, each on a new connection, until they are stopped. */
function startTlsLoad(name: string) {
  const stopped = new AbortController();
  let sent = 0;
  const lost: string[] = [];
  const client = async () => {
    while (!stopped.signal.aborted) {
      sent++;
      const answer = await get(`https://${name}/version`);
      if (answer.status !== 200) lost.push(`${answer.status} ${answer.text}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const clients = [client(), client(), client()];
  return {
    stop: async () => {
      stopped.abort();
      await Promise.all(clients);
      return { sent, lost };
    },
  };
}

describe("certificates from an authority", () => {
  const project = new Project("https");
  let directory = "";
  let dns = "";
  let authority = "";

  const setAddress = async (host: string, address: string) => {
    for (const [command, body] of [
      ["clear-a", { host }],
      ["add-a", { host, addresses: [address] }],
    ] as const)
      await fetch(`${dns}/${command}`, { method: "POST", body: JSON.stringify(body) });
  };
  const configure = (more: Record<string, unknown>) =>
    project.configure({
      stop_wait_time: undefined,
      boot: { watch: 0 },
      traefik: {
        options: { volume: ["/root/acme-ca.pem:/acme-ca.pem:ro"] },
        args: {
          "certificatesresolvers.mrsk.acme.caserver": directory,
          "certificatesresolvers.mrsk.acme.cacertificates": "/acme-ca.pem",
          "certificatesresolvers.mrsk.acme.profile": "default",
        },
      },
      ...more,
    });

  let round = 0;
  const nextVersion = (message: string) => {
    project.write("round.txt", String(++round));
    return project.commit(message);
  };

  beforeAll(async () => {
    await sweep(A, "b");
    const { stdout } = await execa(resolve(import.meta.dirname, "../lab/lab"), ["acme"]);
    const [first = "", second = "", , fourth = ""] = stdout.split("\n");
    [directory, dns, authority] = [first, second, readFileSync(fourth, "utf8")];
    await onServer(A, `cat >/root/acme-ca.pem <<'END'\n${authority}END`);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  });
  afterAll(() => sweep(A, "b"));

  test("a first deploy with ssl: true gets a certificate, and redirects to it", async () => {
    const name = nameOf(A);
    configure({ servers: [lab["LAB_A"]], proxy: { host: name, ssl: true, app_port: 3000 } });
    const version = await project.commit("First");
    const { stderr } = succeeded(await project.mrsk("setup"));
    expect(stderr).toContain(`serves a certificate for ${name}`);
    const answer = await get(`https://${name}/version`);
    expect(answer).toMatchObject({ status: 200, text: `${version}\n` });
    expect(answer.issuer).toMatch(/^Pebble Intermediate CA/);
    await vi.waitFor(async () =>
      expect(await get(`http://${name}/version?a=1`)).toMatchObject({
        status: 301,
        location: `https://${name}/version?a=1`,
      }),
    );
    expect(await handshake(name, { ALPNProtocols: ["h2", "http/1.1"] })).toBe("TLSv1.3 h2");
    expect(await handshake(name, { maxVersion: "TLSv1.2" })).toBe("TLSv1.2 false");
    expect(await handshake(name, { minVersion: "TLSv1", maxVersion: "TLSv1.1" })).toBe("refused");
    const status = succeeded(await project.mrsk("ssl", "status"));
    expect(status.stdout).toMatch(new RegExp(`^${lab["LAB_A"]}  web  ${name}  89 days left, by Pebble`));
    expect(await onServer(A, "stat -c %a /var/lib/mrsk/traefik/https-web@tls.yml /var/lib/mrsk/acme/acme.json")).toBe(
      "600\n600",
    );
  });

  test("redeploys, a rollback and a reboot of Traefik lose no request over TLS, and keep the certificate", async () => {
    const name = nameOf(A);
    const before = (await get(`https://${name}/version`)).serial;
    const first = (await get(`https://${name}/version`)).text.trim();
    const load = startTlsLoad(name);
    const version = await nextVersion("Second");
    succeeded(await project.mrsk("redeploy"));
    expect(await get(`https://${name}/version`)).toMatchObject({ status: 200, text: `${version}\n`, serial: before });
    succeeded(await project.mrsk("rollback", first));
    expect(await get(`https://${name}/version`)).toMatchObject({ status: 200, text: `${first}\n`, serial: before });
    succeeded(await project.mrsk("traefik", "reboot", "-y"));
    const { sent, lost } = await load.stop();
    console.log(`over TLS: ${lost.length} of ${sent} lost`);
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(100);
    expect(await get(`https://${name}/version`)).toMatchObject({ status: 200, serial: before });
  });

  test("a name that leads elsewhere is not requested, and HTTP goes on", async () => {
    const name = nameOf("c");
    configure({ servers: [lab["LAB_A"]], proxy: { host: name, ssl: true, app_port: 3000 } });
    await nextVersion("Elsewhere");
    const { stderr } = succeeded(await project.mrsk("redeploy"));
    expect(stderr).toContain(
      `no certificate was requested: http://${name} does not reach ${lab["LAB_A"]}. From this machine DNS answers ${lab["LAB_C"]} for ${name}`,
    );
    expect(await onServer(A, "ls /var/lib/mrsk/traefik")).not.toContain("@tls.yml");
    expect(await onServer(A, "docker logs traefik 2>&1 | grep -c 'Unable to obtain' || true")).toBe("0");
  });

  test("a request that the authority refuses is ended, with the authority's reason", async () => {
    const name = nameOf("b");
    // For this machine the name leads to server b, for the authority to the registry.
    await setAddress(name, "172.30.77.2");
    configure({ servers: [lab["LAB_B"]], proxy: { host: name, ssl: true, app_port: 3000 } });
    await onServer("b", `cat >/root/acme-ca.pem <<'END'\n${authority}END`);
    const version = await nextVersion("Refused");
    const { stderr } = succeeded(await project.mrsk("setup"));
    expect(stderr).toMatch(new RegExp(`no certificate for ${name}: .*172\\.30\\.77\\.2`));
    expect((await get(`http://${name}/version`)).text).toBe(`${version}\n`);
    expect(await onServer("b", "ls /var/lib/mrsk/traefik")).not.toContain("@tls.yml");
    await setAddress(name, lab["LAB_B_INNER"]!);
    const renewed = succeeded(await project.mrsk("ssl", "renew"));
    expect(renewed.stderr).toContain(`serves a certificate for ${name}`);
    expect((await get(`https://${name}/version`)).issuer).toMatch(/^Pebble Intermediate CA/);
  });

  test("two servers of one name get a certificate each, though every challenge reaches one of them", async () => {
    const name = nameOf("b");
    const servers = [lab["LAB_A_INNER"]!, lab["LAB_B_INNER"]!];
    project.write(
      "ssh_config",
      "Host *\n  UserKnownHostsFile known_hosts_of_test\n  StrictHostKeyChecking accept-new\n",
    );
    configure({ servers, proxy: { host: name, ssl: true, app_port: 3000 } });
    // Server b has a certificate of this name already.
    await onServer("b", "rm -f /var/lib/mrsk/acme/acme.json; docker restart traefik >/dev/null");
    const version = await nextVersion("Two");
    const { stderr } = succeeded(await project.mrsk("deploy"));
    for (const server of servers) expect(stderr).toContain(`${server}  serves a certificate for ${name}`);
    const answers = await Promise.all(servers.map((server) => get(`https://${name}/version`, server)));
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 200, text: `${version}\n` });
      expect(answer.issuer).toMatch(/^Pebble Intermediate CA/);
    }
    expect(new Set(answers.map(({ serial }) => serial)).size).toBe(2);
  });
});

describe("a certificate of the user's", () => {
  const project = new Project("owned");
  const name = nameOf(A);
  const make = (serial: string) => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
    const subject = ["-subj", "/CN=own", "-addext", `subjectAltName=DNS:${name}`, "-set_serial", serial];
    return execa("openssl", ["req", "-x509", ...key, ...subject, "-days", "90", "-out", "certificate.pem"], {
      cwd: project.folder,
    });
  };

  beforeAll(async () => {
    await sweep(A);
    project.write(
      ".kamal/secrets",
      `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nCERTIFICATE=$(cat certificate.pem)\nPRIVATE_KEY=$(cat key.pem)\n`,
    );
    project.write(".gitignore", ".kamal/secrets\n*.pem\n.docker-config\nssh_config\n");
    project.configure({
      servers: [lab["LAB_A"]],
      stop_wait_time: undefined,
      boot: { watch: 0 },
      proxy: { host: name, ssl: { certificate_pem: "CERTIFICATE", private_key_pem: "PRIVATE_KEY" }, app_port: 3000 },
    });
  });
  afterAll(() => sweep(A));

  test("is served, and a new one without a restart", async () => {
    await make("0x1001");
    const version = await project.commit("Own");
    succeeded(await project.mrsk("deploy"));
    expect(await get(`https://${name}/version`)).toMatchObject({ status: 200, text: `${version}\n`, serial: "1001" });
    expect((await get(`http://${name}/version`)).status).toBe(301);
    expect(await onServer(A, "stat -c %a /var/lib/mrsk/traefik/owned-web.tls.yml")).toBe("600");
    const started = await onServer(A, "docker inspect -f '{{.State.StartedAt}}' traefik");
    await make("0x1002");
    succeeded(await project.mrsk("ssl", "renew"));
    await vi.waitFor(async () => expect((await get(`https://${name}/version`)).serial).toBe("1002"));
    expect(await onServer(A, "docker inspect -f '{{.State.StartedAt}}' traefik")).toBe(started);
  });

  test("is refused before anything changes if the key is another one", async () => {
    await execa("openssl", ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "key.pem"], {
      cwd: project.folder,
    });
    const refused = await project.mrsk("redeploy");
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain("the private key does not belong to the certificate");
    expect((await get(`https://${name}/version`)).serial).toBe("1002");
  });

  test("goes with the app", async () => {
    succeeded(await project.mrsk("remove", "-y"));
    expect(await onServer(A, "ls /var/lib/mrsk/traefik 2>/dev/null || true")).not.toContain("owned");
  });
});
