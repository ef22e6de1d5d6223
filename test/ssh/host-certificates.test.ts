import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { both, sign } from "../support/ssh-clients.ts";
import { makeKey, type Sshd, startSshd } from "../support/sshd.ts";

/** Certificates: a good one of each key type, and one with each fault. */
const CERTIFICATES = [
  ["good", "ed25519", ["-n", "box,127.0.0.1"]],
  ["good", "rsa", ["-n", "127.0.0.1"]],
  ["good", "ecdsa", ["-n", "127.0.0.1"]],
  ["good for all hosts", "ed25519", []],
  ["for a pattern, which has no effect", "ed25519", ["-n", "127.0.*"]],
  ["for another host", "ed25519", ["-n", "db.example.com"]],
  ["expired", "ed25519", ["-n", "127.0.0.1", "-V", "20200101:20200102"]],
  ["not valid yet", "ed25519", ["-n", "127.0.0.1", "-V", "20900101:20900102"]],
] as const;

const REFUSALS: Readonly<Record<string, RegExp>> = {
  "for another host": /certificate is not valid: it is for db\.example\.com/,
  expired: /certificate is not valid: it has expired/,
  "not valid yet": /certificate is not valid: it is not valid yet/,
};

const RIGHT = ["IdentityFile KEYS/id_right", "StrictHostKeyChecking yes"];

describe.each(CERTIFICATES)("a host certificate that is %s, of a key of type %s", (what, type, options) => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd((folder) => {
      for (const name of ["host_ca", "other_ca"]) makeKey(folder, name, "", type === "ecdsa" ? "rsa" : "ed25519");
      makeKey(folder, "certified", "", type);
      const certificate = sign(join(folder, "host_ca"), join(folder, "certified"), "-h", ...options);
      return [`HostKey ${folder}/certified`, `HostCertificate ${certificate}`];
    });
  });
  afterAll(() => sshd.stop());
  const key = (name: string) =>
    readFileSync(join(sshd.folder, `${name}.pub`), "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
  const attempt = async (known: readonly string[], more: readonly string[] = []) => {
    const { ssh, mrsk } = await both(sshd, { config: [...more, ...RIGHT], known }, new Map());
    expect(mrsk.recorded).toEqual(ssh.recorded);
    return { ways: [ssh, mrsk].map((one) => (one.in ? "in" : "-")), said: mrsk.said };
  };
  const good = what.startsWith("good");

  test("is accepted or refused as by OpenSSH, if its authority is in known_hosts", async () => {
    const { ways, said } = await attempt([`@cert-authority * ${key("host_ca")}`]);
    expect(ways).toEqual(good ? ["in", "in"] : ["-", "-"]);
    expect(said).toMatch(REFUSALS[what] ?? "");
  });

  test.runIf(type !== "ecdsa" && (what === "good" || what === "expired"))(
    "is refused if another authority is in known_hosts, or its authority is revoked",
    async () => {
      expect((await attempt([`@cert-authority * ${key("other_ca")}`])).ways).toEqual(["-", "-"]);
      const revoked = [`@cert-authority * ${key("host_ca")}`, `@revoked * ${key("host_ca")}`];
      expect((await attempt(revoked)).ways).toEqual(["-", "-"]);
      const list = ["RevokedHostKeys KEYS/host_ca.pub"];
      expect((await attempt([`@cert-authority * ${key("host_ca")}`], list)).ways).toEqual(["-", "-"]);
    },
  );

  test.runIf(!good)("is not needed if known_hosts has the key itself", async () => {
    const line = `[127.0.0.1]:${sshd.port} ${key("certified")}`;
    expect((await attempt([`@cert-authority * ${key("host_ca")}`, line])).ways).toEqual(["in", "in"]);
  });
});

test("a certificate that its authority did not sign is refused", async () => {
  const { hostCertificateProblem, readCertificate } = await import("../../src/ssh/host-keys/certificates.ts");
  const folder = mkdtempSync(join(process.env["TMPDIR"] ?? "/tmp", "mrsk-forged-"));
  makeKey(folder, "ca");
  copyFileSync(makeKey(folder, "host"), join(folder, "copy"));
  const text = readFileSync(sign(join(folder, "ca"), join(folder, "host"), "-h", "-n", "box"), "utf8");
  const blob = Buffer.from(text.split(" ")[1]!, "base64");
  expect(hostCertificateProblem(readCertificate(blob)!, "box", Date.now())).toBeUndefined();
  expect(hostCertificateProblem(readCertificate(blob)!, "BOX", Date.now())).toBeUndefined();
  const forged = Buffer.from(blob.toString("latin1").replace("box", "bax"), "latin1");
  expect(hostCertificateProblem(readCertificate(forged)!, "bax", Date.now())).toBe("its signature is wrong");
  execFileSync("rm", ["-r", folder]);
});
