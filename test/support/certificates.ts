import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SETTINGS = `[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = names
[any]
organizationName = optional
commonName = supplied
[names]
subjectAltName = `;

export interface Pair {
  readonly certificate: string;
  readonly privateKey: string;
}

/**
 * A certificate for these names, signed by its own key.
 * @param subject `/O=Lab/CN=lab`
 * @param from, to `YYYYMMDD`
 */
export function selfSigned(
  names: readonly string[],
  { subject = "/CN=lab", from = "20260101", to = "20270101" }: { subject?: string; from?: string; to?: string } = {},
): Pair {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-certificate-"));
  const openssl = (words: string, ...more: string[]) =>
    execFileSync("openssl", [...words.split(" "), ...more], { cwd: folder, stdio: "pipe" });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  try {
    writeFileSync(join(folder, "index.txt"), "");
    writeFileSync(join(folder, "serial"), "01\n");
    writeFileSync(join(folder, "settings"), SETTINGS + names.map((name) => `DNS:${name}`).join(","));
    openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out request -subj", subject);
    // Only the command `ca` of older versions of OpenSSL can set both dates.
    openssl(
      `ca -selfsign -batch -notext -config settings -keyfile key -in request -out certificate -startdate ${from}000000Z -enddate ${to}000000Z`,
    );
    return { certificate: read("certificate"), privateKey: read("key") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
