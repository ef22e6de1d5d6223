import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Attempt,
  authorize,
  both,
  fingerprint,
  outcomeOf,
  sign,
  startAgent,
  viaMrsk,
} from "../support/ssh-clients.ts";
import { makeKey, type Sshd, startSshd } from "../support/sshd.ts";

/** Each row is tried with OpenSSH and with mrsk on one sshd, with the same ssh_config and agent. */
const OTHERS = ["other1", "other2", "other3", "other4", "other5", "other6", "other7"];
const USER = userInfo().username;
const SECRET = "secret words";
/** A proxy command: connects to a host and a port, if the third argument is correct. */
const RELAY = `const [host, port, word] = process.argv.slice(2);
if (word !== "${USER}.box.%") process.exit(1);
const socket = require("net").connect(port, host);
process.stdin.pipe(socket).pipe(process.stdout);`;
const names = new Map<string, string>();
const agents = new Map<string, { socket: string; stop(): void }>();
let sshd: Sshd;

beforeAll(async () => {
  process.env["MRSK_TEST_NAME"] = "id_right";
  sshd = await startSshd((folder) => {
    makeKey(folder, "user_ca");
    return [`TrustedUserCAKeys ${folder}/user_ca.pub`, "MaxAuthTries 6"];
  });
  const key = (name: string) => join(sshd.folder, name);
  for (const name of OTHERS) makeKey(sshd.folder, name);
  for (const [name, type] of [
    ["id_rsa", "rsa"],
    ["id_ecdsa", "ecdsa"],
  ] as const)
    authorize(sshd, makeKey(sshd.folder, name, "", type));
  for (const [name, type] of [
    ["signed", "ed25519"],
    ["signed_rsa", "rsa"],
    ["signed_ecdsa", "ecdsa"],
  ] as const)
    sign(key("user_ca"), makeKey(sshd.folder, name, "", type), "-n", USER);
  sign(key("user_ca"), makeKey(sshd.folder, "expired"), "-n", USER, "-V", "20200101:20200102");
  sign(key("user_ca"), makeKey(sshd.folder, "elsewhere"), "-n", USER);
  mkdirSync(key("apart"));
  execFileSync("mv", [key("elsewhere-cert.pub"), key("apart")]);
  sign(key("user_ca"), makeKey(sshd.folder, "signed_encrypted", SECRET), "-n", USER);
  writeFileSync(key("relay.cjs"), RELAY);
  copyFileSync(`${sshd.key}.pub`, key("only.pub"));
  copyFileSync(`${sshd.encryptedKey}.pub`, key("only_encrypted.pub"));
  copyFileSync(sshd.key, key(`key %`));
  for (const token of [`of-${USER}`, `at-127.0.0.1-${sshd.port}`, "for-box", `on-${hostname()}`, "known-as-alias"])
    copyFileSync(sshd.key, key(token));
  const files = ["id_right", "id_encrypted", "id_wrong", "id_rsa", "id_ecdsa", "signed", "signed_rsa", "signed_ecdsa"];
  for (const name of [...files, "elsewhere", "signed_encrypted", ...OTHERS]) names.set(fingerprint(key(name)), name);
  const holding: Record<string, string[]> = {
    right: ["id_right"],
    wrong: ["id_wrong"],
    both: ["id_wrong", "id_right"],
    encrypted: ["id_encrypted"],
    "seven and encrypted": [...OTHERS, "id_encrypted"],
    "seven and right": [...OTHERS, "id_right"],
    rsa: ["id_rsa"],
    ecdsa: ["id_ecdsa"],
    certificate: ["signed"],
    elsewhere: ["elsewhere"],
    "rsa certificate": ["signed_rsa"],
    "encrypted certificate": ["signed_encrypted"],
    empty: [],
  };
  for (const [what, keys] of Object.entries(holding))
    agents.set(what, await startAgent(sshd.folder, keys.map(key), SECRET));
}, 120_000);
afterAll(() => {
  for (const agent of agents.values()) agent.stop();
  sshd.stop();
});

/** `by`: the key that both log in with; two words if they differ, OpenSSH's first; `-`: no login. */
interface Row {
  readonly config: readonly string[];
  readonly by: string;
  readonly agent?: string;
  readonly more?: Partial<Attempt>;
}

async function compared({ config, agent, more }: Row) {
  const socket = agent === undefined ? undefined : agents.get(agent)!.socket;
  const found = await both(sshd, { config, agent: socket, ...more }, names);
  return { ...found, by: [...new Set([found.ssh, found.mrsk].map((one) => (one.in ? one.by : "-")))].join(" ") };
}

const RIGHT = "IdentityFile KEYS/id_right";
const ONLY = "IdentitiesOnly yes";

test.each<[what: string, row: Row]>([
  ["a key file", { config: [RIGHT], by: "id_right" }],
  ["a key file that the server refuses", { config: ["IdentityFile KEYS/id_wrong"], by: "-" }],
  ["two key files", { config: ["IdentityFile KEYS/id_wrong", RIGHT], by: "id_right" }],
  ["an RSA key", { config: ["IdentityFile KEYS/id_rsa"], by: "id_rsa" }],
  ["an ECDSA key", { config: ["IdentityFile KEYS/id_ecdsa"], by: "id_ecdsa" }],
  ["no key file", { config: ["IdentityFile none"], by: "-" }],
  [
    "an encrypted key file, and no terminal for its passphrase",
    { config: ["IdentityFile KEYS/id_encrypted"], by: "-" },
  ],
  [
    "an encrypted key file whose key the agent holds",
    { config: ["IdentityFile KEYS/id_encrypted"], agent: "encrypted", by: "id_encrypted" },
  ],
  [
    "a named encrypted key that the agent holds after seven others",
    { config: ["IdentityFile KEYS/id_encrypted"], agent: "seven and encrypted", by: "id_encrypted" },
  ],
  [
    "the same with IdentitiesOnly",
    { config: ["IdentityFile KEYS/id_encrypted", ONLY], agent: "seven and encrypted", by: "id_encrypted" },
  ],
  ["eight keys in the agent, none named", { config: ["IdentityFile none"], agent: "seven and right", by: "-" }],
  [
    "a named key file after an agent with seven others",
    { config: ["IdentityFile KEYS/id_rsa"], agent: "seven and right", by: "- id_rsa" },
  ],
  ["the agent's key", { config: ["IdentityFile none"], agent: "right", by: "id_right" }],
  ["the agent's second key", { config: ["IdentityFile none"], agent: "both", by: "id_right" }],
  ["the agent's RSA key", { config: ["IdentityFile none"], agent: "rsa", by: "id_rsa" }],
  ["the agent's ECDSA key", { config: ["IdentityFile none"], agent: "ecdsa", by: "id_ecdsa" }],
  ["an agent without keys, and a file", { config: [RIGHT], agent: "empty", by: "id_right" }],
  ["an agent that does not exist, and a file", { config: [RIGHT], more: { agent: "/no/such/agent" }, by: "id_right" }],
  [
    "only the public key as a file, the private key in the agent",
    { config: ["IdentityFile KEYS/only", ONLY], agent: "both", by: "id_right" },
  ],
  [
    "the public key named, the private key in the agent",
    { config: ["IdentityFile KEYS/only.pub", ONLY], agent: "both", by: "id_right" },
  ],
  [
    "the public key of a key that the agent does not hold",
    { config: ["IdentityFile KEYS/only.pub", ONLY], agent: "wrong", by: "-" },
  ],
  [
    "IdentitiesOnly, and a key that the agent holds without a file",
    { config: ["IdentityFile KEYS/id_wrong", ONLY], agent: "both", by: "-" },
  ],
  ["IdentityAgent", { config: ["IdentityFile none", "IdentityAgent $MRSK_TEST_AGENT"], by: "id_right" }],
  [
    "IdentityAgent by a variable's name in braces",
    { config: ["IdentityFile none", "IdentityAgent ${MRSK_TEST_AGENT}"], by: "id_right" },
  ],
  ["IdentityAgent none", { config: ["IdentityFile none", "IdentityAgent none"], agent: "right", by: "-" }],
  ["a certificate next to the key", { config: ["IdentityFile KEYS/signed"], by: "signed" }],
  ["a certificate for an RSA key", { config: ["IdentityFile KEYS/signed_rsa"], by: "signed_rsa" }],
  ["a certificate for an ECDSA key", { config: ["IdentityFile KEYS/signed_ecdsa"], by: "signed_ecdsa" }],
  ["a certificate that has expired", { config: ["IdentityFile KEYS/expired"], by: "-" }],
  [
    "CertificateFile",
    { config: ["IdentityFile KEYS/elsewhere", "CertificateFile KEYS/apart/elsewhere-cert.pub"], by: "elsewhere" },
  ],
  ["the key of a CertificateFile without it", { config: ["IdentityFile KEYS/elsewhere"], by: "-" }],
  [
    "CertificateFile without a key",
    { config: ["IdentityFile none", "CertificateFile KEYS/apart/elsewhere-cert.pub"], by: "-" },
  ],
  ["a certificate in the agent", { config: ["IdentityFile none"], agent: "certificate", by: "signed" }],
  [
    "an RSA key's certificate in the agent",
    { config: ["IdentityFile none"], agent: "rsa certificate", by: "signed_rsa" },
  ],
  [
    "a certificate of an encrypted key that the agent holds",
    { config: ["IdentityFile KEYS/signed_encrypted", ONLY], agent: "encrypted certificate", by: "signed_encrypted" },
  ],
  [
    "a CertificateFile whose key the agent holds",
    {
      config: ["IdentityFile none", "CertificateFile KEYS/apart/elsewhere-cert.pub"],
      agent: "elsewhere",
      by: "elsewhere",
    },
  ],
  ["%r in IdentityFile", { config: ["IdentityFile KEYS/of-%r"], by: "id_right" }],
  ["%u in IdentityFile", { config: ["IdentityFile KEYS/of-%u"], by: "id_right" }],
  ["%h and %p in IdentityFile", { config: ["IdentityFile KEYS/at-%h-%p"], by: "id_right" }],
  ["%n in IdentityFile", { config: ["IdentityFile KEYS/for-%n"], by: "id_right" }],
  ["%k in IdentityFile", { config: ["IdentityFile KEYS/for-%k"], by: "id_right" }],
  ["%k under a HostKeyAlias", { config: ["HostKeyAlias alias", "IdentityFile KEYS/known-as-%k"], by: "id_right" }],
  ["%l in IdentityFile", { config: ["IdentityFile KEYS/on-%l"], by: "id_right" }],
  ["%% in IdentityFile", { config: ['IdentityFile "KEYS/key %%"'], by: "id_right" }],
  ["${ENV} in IdentityFile", { config: ["IdentityFile KEYS/${MRSK_TEST_NAME}"], by: "id_right" }],
  ["${ENV} that is not set", { config: ["IdentityFile KEYS/${MRSK_TEST_NOT_SET}", RIGHT], by: "-" }],
  ["%T, which IdentityFile does not support", { config: ["IdentityFile KEYS/%T", RIGHT], by: "-" }],
  [
    "%r in CertificateFile",
    {
      config: [
        "IdentityFile KEYS/elsewhere",
        "CertificateFile KEYS/apart/%%r",
        "CertificateFile KEYS/apart/elsewhere-cert.pub",
      ],
      by: "elsewhere",
    },
  ],
  ["AddKeysToAgent, in each of its forms", { config: [RIGHT, "AddKeysToAgent confirm 1h"], by: "id_right" }],
  ["an option that exists only on macOS", { config: [RIGHT, "UseKeychain yes"], by: "- id_right" }],
  [
    "an option that exists only on macOS, and IgnoreUnknown",
    { config: ["IgnoreUnknown UseKeychain", RIGHT, "UseKeychain yes"], by: "id_right" },
  ],
  [
    "options of a later OpenSSH, or unknown ones",
    { config: [RIGHT, "NoSuchOption yes", "RefuseConnection no"], by: "- id_right" },
  ],
  ["a value that OpenSSH rejects", { config: [RIGHT, "Port none"], by: "-" }],
  [
    "a proxy command with its tokens",
    { config: [RIGHT, `ProxyCommand ${process.execPath} KEYS/relay.cjs %h %p %r.%n.%%`], by: "id_right" },
  ],
  ["a proxy command with an unsupported token", { config: [RIGHT, "ProxyCommand nc %d %p"], by: "-" }],
])("which key logs in: %s", async (_, row) => {
  process.env["MRSK_TEST_AGENT"] = agents.get("right")!.socket;
  const { by, ssh, mrsk } = await compared(row);
  expect({ by, ssh: ssh.said, mrsk: mrsk.said }).toMatchObject({ by: row.by });
  // Both add the same lines to known_hosts, with or without a login, if OpenSSH came as far.
  expect(row.by.startsWith("-") ? [] : mrsk.recorded).toEqual(row.by.startsWith("-") ? [] : ssh.recorded);
});

test("~, %d, %i, %j, %L and %C in IdentityFile expand as in OpenSSH", async () => {
  const folder = mkdtempSync(join(homedir(), ".mrsk-test-"));
  const name = folder.split("/").at(-1)!;
  const hash = controlHash();
  const uid = process.getuid!();
  const short = hostname().replace(/\..*/, "");
  for (const file of ["tilde", `uid-${uid}`, `short-${short}`, `hash-${hash}`])
    copyFileSync(sshd.key, join(folder, file));
  try {
    for (const file of [
      `~/${name}/tilde`,
      `~${USER}/${name}/tilde`,
      `%d/${name}/tilde`,
      `~/${name}/uid-%i`,
      `~/${name}/short-%L`,
      `~/${name}/hash-%C`,
    ]) {
      const { by } = await compared({ config: [`IdentityFile ${file}`], by: "" });
      expect([file, by]).toEqual([file, "id_right"]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The value of `%C` for the row's connection: OpenSSH expands it in ControlPath. */
function controlHash(): string {
  const words = [
    "-G",
    "-F",
    "none",
    "-o",
    "ControlPath=%C",
    "-o",
    "HostName=127.0.0.1",
    "-p",
    String(sshd.port),
    "-l",
    USER,
  ];
  return /^controlpath (\S+)$/m.exec(execFileSync("ssh", [...words, "box"], { encoding: "utf8", stdio: "pipe" }))![1]!;
}

test("a passphrase is asked for after all other keys failed, also with a wrong key in the agent", async () => {
  const attempt = { config: ["IdentityFile KEYS/id_encrypted"], agent: agents.get("wrong")!.socket, answers: [SECRET] };
  expect(await outcomeOf(sshd, attempt, names, viaMrsk)).toMatchObject({ in: true, by: "id_encrypted" });
  const notNeeded = { ...attempt, agent: agents.get("right")!.socket };
  expect(await outcomeOf(sshd, notNeeded, names, viaMrsk)).toMatchObject({ in: true, by: "id_right" });
});

test("a key that is in the agent and in a file is offered once", async () => {
  const seven = agents.get("seven and encrypted")!.socket;
  const attempt = { config: ["IdentityFile none"], agent: seven, ssh: { keys: [sshd.wrongKey, sshd.encryptedKey] } };
  expect(await outcomeOf(sshd, attempt, names, viaMrsk)).toMatchObject({ in: true, by: "id_encrypted" });
  const wrong = {
    config: ["IdentityFile KEYS/id_wrong"],
    agent: agents.get("wrong")!.socket,
    ssh: { keys: [sshd.wrongKey] },
  };
  const { said } = await outcomeOf(sshd, wrong, names, viaMrsk);
  expect(said).toContain(`Tried ${sshd.wrongKey} (in the agent).`);
});

test("a key named by ssh.keys is first; the agent signs if it is encrypted", async () => {
  const attempt = { config: [], agent: agents.get("seven and encrypted")!.socket, ssh: { keys: [sshd.encryptedKey] } };
  expect(await outcomeOf(sshd, attempt, names, viaMrsk)).toMatchObject({ in: true, by: "id_encrypted" });
});

describe("known hosts, and the lines added to known_hosts", () => {
  const host = () => `[127.0.0.1]:${sshd.port}`;
  const key = (name: string) =>
    readFileSync(join(sshd.folder, `${name}.pub`), "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
  const hashed = (line: string) => {
    const file = join(mkdtempSync(join(sshd.folder, "hash-")), "known");
    writeFileSync(file, `${line}\n`);
    execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "pipe" });
    return readFileSync(file, "utf8").trim();
  };
  const PORT_LINE = "[127.0.0.1]:PORT ssh-ed25519";

  test.each<[what: string, config: string[], known: () => string[], ways: string, recorded: string[], said?: RegExp]>([
    ["yes, a known key", ["StrictHostKeyChecking yes"], () => [`${host()} ${key("host_key")}`], "in", []],
    ["yes, a new key", ["StrictHostKeyChecking yes"], () => [], "-", [], /host key SHA256:\S+ is not known/],
    ["ask, a new key, no terminal", ["StrictHostKeyChecking ask"], () => [], "-", [], /no terminal to ask on/],
    [
      "accept-new, a new key",
      ["StrictHostKeyChecking accept-new"],
      () => [],
      "in",
      [PORT_LINE],
      /new host key accepted \(ED25519 SHA256:\S+\)/,
    ],
    ["no, a new key", ["StrictHostKeyChecking no"], () => [], "in", [PORT_LINE]],
    ["off, a new key", ["StrictHostKeyChecking off"], () => [], "in", [PORT_LINE]],
    [
      "accept-new, a changed key",
      ["StrictHostKeyChecking accept-new"],
      () => [`${host()} ${key("id_wrong")}`],
      "-",
      [],
      /host key SHA256:\S+ does not match /,
    ],
    [
      "no, a changed key",
      ["StrictHostKeyChecking no"],
      () => [`${host()} ${key("id_wrong")}`],
      "in",
      [],
      /warning: host key SHA256:\S+ does not match .*StrictHostKeyChecking is no/,
    ],
    ["a hashed line", ["StrictHostKeyChecking yes"], () => [hashed(`${host()} ${key("host_key")}`)], "in", []],
    ["a line without the port", ["StrictHostKeyChecking yes"], () => [`127.0.0.1 ${key("host_key")}`], "in", []],
    ["another key's line without the port", [], () => [`127.0.0.1 ${key("id_wrong")}`], "in", [PORT_LINE]],
    [
      "a hashed new line",
      ["HashKnownHosts yes"],
      () => [],
      "in",
      [expect.stringMatching(/^\|1\|.* ssh-ed25519$/) as string],
    ],
    [
      "HostKeyAlias",
      ["HostKeyAlias the-box", "StrictHostKeyChecking yes"],
      () => [`the-box ${key("host_key")}`],
      "in",
      [],
    ],
    ["HostKeyAlias, a new key", ["HostKeyAlias the-box"], () => [], "in", ["the-box ssh-ed25519"]],
    [
      "the second of several files",
      ["UserKnownHostsFile /no/such/file KNOWN", "StrictHostKeyChecking yes"],
      () => [`${host()} ${key("host_key")}`],
      "in",
      [],
    ],
    ["a file with a blank in its name", ['UserKnownHostsFile "KNOWN" "/no such/file"'], () => [], "in", [PORT_LINE]],
    [
      "tokens in UserKnownHostsFile",
      ["UserKnownHostsFile KNOWN%%%r KNOWN"],
      () => [`${host()} ${key("host_key")}`],
      "in",
      [],
    ],
    [
      "GlobalKnownHostsFile",
      ["UserKnownHostsFile none", "GlobalKnownHostsFile KNOWN", "StrictHostKeyChecking yes"],
      () => [`${host()} ${key("host_key")}`],
      "in",
      [],
    ],
    ["a revoked key", [], () => [`@revoked * ${key("host_key")}`], "-", [], /was revoked in/],
    [
      "no, a revoked key, which mrsk refuses",
      ["StrictHostKeyChecking no"],
      () => [`@revoked * ${key("host_key")}`],
      "in -",
      [],
      /was revoked in/,
    ],
    [
      "a revoked and known key",
      [],
      () => [`${host()} ${key("host_key")}`, `@revoked * ${key("host_key")}`],
      "-",
      [],
      /was revoked in/,
    ],
    [
      "RevokedHostKeys with the key",
      ["RevokedHostKeys KEYS/host_key.pub"],
      () => [],
      "-",
      [],
      /was revoked in .*host_key.pub/,
    ],
    ["RevokedHostKeys with another key", ["RevokedHostKeys KEYS/id_wrong.pub"], () => [], "in", [PORT_LINE]],
    [
      "RevokedHostKeys that does not exist",
      ["RevokedHostKeys /no/such"],
      () => [`${host()} ${key("host_key")}`],
      "-",
      [],
      /RevokedHostKeys: \/no\/such cannot be read/,
    ],
    ["a KRL with the key", ["RevokedHostKeys KEYS/krl"], () => [], "-", [], /was revoked in .*krl/],
    ["a KRL with another key", ["RevokedHostKeys KEYS/krl_other"], () => [], "in", [PORT_LINE]],
    ["an authority for other hosts", [], () => [`@cert-authority *.example.com ${key("user_ca")}`], "in", [PORT_LINE]],
    [
      "an authority, a server without a certificate",
      [],
      () => [`@cert-authority * ${key("user_ca")}`],
      "in -",
      [PORT_LINE],
      /line 1 requires a certificate for its host key, but the server sent none/,
    ],
    [
      "an authority, and a line with the key",
      [],
      () => [`@cert-authority * ${key("user_ca")}`, `${host()} ${key("host_key")}`],
      "in",
      [],
    ],
  ])("%s", async (_, config, known, ways, recorded, said) => {
    execFileSync("ssh-keygen", ["-q", "-k", "-f", join(sshd.folder, "krl"), join(sshd.folder, "host_key.pub")]);
    execFileSync("ssh-keygen", ["-q", "-k", "-f", join(sshd.folder, "krl_other"), join(sshd.folder, "id_wrong.pub")]);
    const { ssh, mrsk } = await both(sshd, { config: [RIGHT, ...config], known: known() }, names);
    const found = [...new Set([ssh, mrsk].map((one) => (one.in ? "in" : "-")))].join(" ");
    expect({ found, ssh: ssh.said, mrsk: mrsk.said }).toMatchObject({ found: ways });
    expect(ssh.recorded).toEqual(recorded);
    expect(mrsk.recorded).toEqual(ways === "in -" ? [] : recorded);
    expect(mrsk.said).toMatch(said ?? "");
  });

  test.each<[what: string, answers: string[], accepted: boolean, more?: string[]]>([
    ["yes", ["yes"], true],
    ["the fingerprint", ["FINGERPRINT"], true],
    ["another answer, then yes", ["perhaps", "yes"], true],
    ["no", ["no"], false],
    ["nothing", [""], false],
    ["yes, and no file to add the key to", ["yes"], true, ["UserKnownHostsFile /dev/null"]],
  ])("StrictHostKeyChecking ask, answered on a terminal with %s", async (_, answers, accepted, more = []) => {
    const own = fingerprint(join(sshd.folder, "host_key"));
    const given = answers.map((answer) => answer.replace("FINGERPRINT", own));
    const attempt = { config: [RIGHT, "StrictHostKeyChecking ask", ...more], answers: given };
    const found = await outcomeOf(sshd, attempt, names, viaMrsk);
    expect(found).toMatchObject({ in: accepted, recorded: accepted && more.length === 0 ? [PORT_LINE] : [] });
    expect(found.said).toContain(
      `The authenticity of host '${host()}' can't be established.\nED25519 key fingerprint is ${own}.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? `,
    );
  });
});
