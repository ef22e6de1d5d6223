import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { quote } from "../../../src/script/command.ts";
import { fetchSecrets } from "../../../src/config/kamal-secrets/secrets-command.ts";

/** What a stand-in prints for a call; a call that is not listed fails. */
type Answers = Readonly<Record<string, string | { readonly status: number; readonly errors: string }>>;

interface Wanted {
  readonly names?: readonly string[];
  readonly account?: string;
  readonly from?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Fetches by an adapter whose tool is a stand-in: it records its calls, and answers each by its arguments. `CALL #2` is the
 * answer to the second call.
 */
function tool(program: string, answers: Answers) {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-vault-"));
  const cases = Object.entries(answers).map(([call, answer]) => {
    const pattern = /#\d$/.test(call) ? quote(call) : `${quote(call)}" #"*`;
    return typeof answer === "string"
      ? `${pattern}) printf '%s\\n' ${quote(answer)} ;;`
      : `${pattern}) printf '%s\\n' ${quote(answer.errors)} >&2; exit ${answer.status} ;;`;
  });
  const script = `#!/bin/sh
call="\${BW_SESSION:+BW_SESSION=$BW_SESSION }$*"
printf '%s\\n' "$call" >>${folder}/calls
case "$call #$(grep -cxF -- "$call" ${folder}/calls)" in
${cases.join("\n")}
*) echo "unexpected call: $call" >&2; exit 64 ;;
esac
`;
  writeFileSync(join(folder, program), script);
  chmodSync(join(folder, program), 0o755);
  return {
    calls: () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n"),
    fetch: async (adapter: string, { names = [], account, from, environment = {} }: Wanted) => {
      const context = {
        cwd: folder,
        environment: { PATH: `${folder}:${process.env["PATH"]}`, ...environment },
        mask: (text: string) => text.replaceAll("s3cret", "[REDACTED]"),
      };
      return [...(await fetchSecrets({ adapter, names, account, from }, context))];
    },
  };
}

const failing = (errors: string, status = 1) => ({ status, errors });

describe("1password", () => {
  const field = (reference: string, value: string) => ({ reference, value });
  const get = (rest: string) => `item get ${rest}`;

  test("reads the fields of each item in one call, signed in already", async () => {
    const op = tool("op", {
      "account get --account me": "{}",
      [get("Item --vault Vault --format json --account me --fields label=A,label=section.B")]: JSON.stringify([
        field("op://Vault/Item/A", "a"),
        field("op://Vault/Item/section/B", "b"),
      ]),
      [get("Login --vault Vault --format json --account me --fields label=password")]: JSON.stringify(
        field("op://Vault/Login/password", "p"),
      ),
    });
    const names = ["Vault/Item/A", "op://Vault/Login", "Vault/Item/section/B"];
    expect(await op.fetch("1password", { account: "me", names })).toEqual([
      ["Vault/Item/A", "a"],
      ["Vault/Item/section/B", "b"],
      ["Vault/Login", "p"],
    ]);
    expect(await op.fetch("one_password", { account: "me", from: "op://Vault/Login", names: ["password"] })).toEqual([
      ["Vault/Login", "p"],
    ]);
  });

  test("signs in, and reads all fields of the item in --from without names", async () => {
    const op = tool("op", {
      "account get --account me": failing("not signed in"),
      "signin --account me --force --raw": "token",
      [get("Item --vault Vault --format json --account me --session token")]: JSON.stringify({
        fields: [field("op://Vault/Item/A", "a"), { id: "notes" }],
      }),
    });
    expect(await op.fetch("1Password", { account: "me", from: "Vault/Item" })).toEqual([["Vault/Item/A", "a"]]);
    expect(op.calls().slice(0, 2)).toEqual(["account get --account me", "signin --account me --force --raw"]);
  });

  test("errors have the call, its exit status and its output", async () => {
    const op = tool("op", {
      "account get --account me": "{}",
      [get("Item --vault Vault --format json --account me --fields label=A")]: failing("[ERROR] no s3cret\nat all", 6),
      "account get --account other": failing("no"),
      "signin --account other --force --raw": failing("wrong password", 5),
    });
    await expect(op.fetch("1password", { account: "me", names: ["Vault/Item/A"] })).rejects.toThrow(
      "could not read A from Item in the Vault 1Password vault: op item get failed (exit status 6): [ERROR] no [REDACTED]; at all",
    );
    await expect(op.fetch("1password", { account: "other", names: ["V/I"] })).rejects.toThrow(
      "op signin failed (exit status 5): wrong password",
    );
    await expect(op.fetch("1password", { names: ["V/I"] })).rejects.toThrow("the adapter 1password needs --account");
    await expect(op.fetch("1password", { account: "me" })).rejects.toThrow("--from VAULT/ITEM");
  });
});

describe("lastpass", () => {
  const items = JSON.stringify([
    { fullname: "app/A", password: "a" },
    { fullname: "app/B", password: "b" },
  ]);

  test("reads all names in one call", async () => {
    const lpass = tool("lpass", { "status --color never": "Logged in as me.", "show app/A app/B --json": items });
    const wanted = { account: "me", from: "app", names: ["A", "B"] };
    const found = [
      ["app/A", "a"],
      ["app/B", "b"],
    ];
    expect(await lpass.fetch("lastpass", wanted)).toEqual(found);
    expect(await lpass.fetch("last_pass", wanted)).toEqual(found);
  });

  test("logs in, and a name without an item is an error", async () => {
    const lpass = tool("lpass", {
      "status --color never": failing("Not logged in."),
      "login me": "Success",
      "show app/A C --json": items,
    });
    await expect(lpass.fetch("lastpass", { account: "me", names: ["app/A", "C"] })).rejects.toThrow(
      "could not find C in LastPass",
    );
    expect(lpass.calls()).toEqual(["status --color never", "login me", "show app/A C --json"]);
  });
});

describe("bitwarden", () => {
  const status = (text: string) => JSON.stringify({ status: text });
  const login = JSON.stringify({ login: { password: "p" }, fields: [{ name: "A", value: "a" }] });
  const note = JSON.stringify({
    login: null,
    fields: [
      { name: "A", value: "a" },
      { name: "B", value: "b" },
    ],
  }); // prettier-ignore

  test("reads logins, fields and all fields, unlocked already", async () => {
    const bw = tool("bw", {
      status: status("unlocked"),
      sync: "Syncing complete.",
      "get item login": login,
      "get item note": note,
    });
    expect(await bw.fetch("bitwarden", { account: "me", names: ["login", "login/A", "note"] })).toEqual([
      ["login", "p"],
      ["login/A", "a"],
      ["note/A", "a"],
      ["note/B", "b"],
    ]);
    await expect(bw.fetch("bitwarden", { account: "me", names: ["note/C"] })).rejects.toThrow(
      "could not find field C in item note in Bitwarden",
    );
  });

  test("logs in and unlocks, and passes the session in the environment", async () => {
    const bw = tool("bw", {
      "status #1": status("unauthenticated"),
      "login me": "You are logged in!",
      "status #2": status("locked"),
      "unlock --raw": "session",
      "BW_SESSION=session status": status("unlocked"),
      "BW_SESSION=session sync": "Syncing complete.",
      "BW_SESSION=session get item app": login,
    });
    expect(await bw.fetch("bitwarden", { account: "me", names: ["app"] })).toEqual([["app", "p"]]);
    expect(bw.calls()).toEqual([
      "status",
      "login me",
      "status",
      "unlock --raw",
      "BW_SESSION=session status",
      "BW_SESSION=session sync",
      "BW_SESSION=session get item app",
    ]);
  });

  test("a wrong password and an item without values are errors", async () => {
    const locked = tool("bw", { status: status("locked"), "unlock --raw": failing("Invalid master password.") });
    await expect(locked.fetch("bitwarden", { account: "me", names: ["a"] })).rejects.toThrow(
      "bw unlock failed (exit status 1): Invalid master password.",
    );
    const bw = tool("bw", { status: status("unlocked"), sync: "", "get item a": "{}", "get item b": "s3cret" });
    await expect(bw.fetch("bitwarden", { account: "me", names: ["a"] })).rejects.toThrow(
      "item a in Bitwarden is no login and has no fields",
    );
    await expect(bw.fetch("bitwarden", { account: "me", names: ["b"] })).rejects.toThrow(
      /^could not read b from Bitwarden: bw get item printed no JSON$/,
    );
  });
});

describe("bitwarden-sm", () => {
  const secret = (key: string) => ({ key, value: `value of ${key}` });

  test.each([
    [{ names: ["all"] }, "secret list"],
    [{ names: ["project/all"] }, "secret list project"],
    [{ names: ["all"], from: "project" }, "secret list project"],
  ])("%j is %s", async (wanted, call) => {
    const bws = tool("bws", { "project list": "[]", [call]: JSON.stringify([secret("A"), secret("B")]) });
    const found = [
      ["A", "value of A"],
      ["B", "value of B"],
    ];
    expect(await bws.fetch("bitwarden-sm", wanted)).toEqual(found);
    expect(await bws.fetch("bitwarden_secrets_manager", wanted)).toEqual(found);
  });

  test("other names are UUIDs, each read by a call", async () => {
    const bws = tool("bws", {
      "project list": "[]",
      "secret get 1-2": JSON.stringify(secret("A")),
      "secret get 3-4": JSON.stringify(secret("B")),
    });
    expect(await bws.fetch("bitwarden-sm", { names: ["1-2", "3-4"] })).toHaveLength(2);
    await expect(bws.fetch("bitwarden-sm", {})).rejects.toThrow("no secrets are named");
  });

  test("a wrong access token is an error", async () => {
    const bws = tool("bws", { "project list": failing("Doesn't contain a decryption key") });
    await expect(bws.fetch("bitwarden-sm", { names: ["all"] })).rejects.toThrow(
      "bws project list failed (exit status 1): Doesn't contain a decryption key",
    );
  });
});

describe("aws_secrets_manager", () => {
  const call = "secretsmanager batch-get-secret-value --secret-id-list";

  test("a JSON object yields a value for each key", async () => {
    const aws = tool("aws", {
      [`${call} app/db app/key app/list --profile prod --output json`]: JSON.stringify({
        SecretValues: [
          { Name: "app/db", SecretString: '{"user":"u","port":5432}' },
          { Name: "app/key", SecretString: "k e y" },
          { Name: "app/list", SecretString: "[1]" },
        ],
        Errors: [],
      }),
    });
    const wanted = { account: "prod", from: "app", names: ["db", "key", "list"] };
    expect(await aws.fetch("aws_secrets_manager", wanted)).toEqual([
      ["app/db/user", "u"],
      ["app/db/port", "5432"],
      ["app/key", "k e y"],
      ["app/list", "[1]"],
    ]);
  });

  test("errors in the answer are errors", async () => {
    const aws = tool("aws", {
      [`${call} a b --output json`]: JSON.stringify({
        SecretValues: [],
        Errors: [
          { SecretId: "a", Message: "not found" },
          { SecretId: "b", Message: "denied" },
        ],
      }),
    });
    await expect(aws.fetch("aws_secrets_manager", { names: ["a", "b"] })).rejects.toThrow(
      "could not read from AWS Secrets Manager: a: not found; b: denied",
    );
  });
});

describe("gcp", () => {
  const data = (text: string) => JSON.stringify({ payload: { data: Buffer.from(text).toString("base64") } });
  const access = "secrets versions access";

  test.each([
    [{ account: "default", names: ["A"] }, `${access} latest --secret=A --format=json`, "default/A"],
    [
      { account: "me@x.y", names: ["p/A/3"] },
      `${access} 3 --secret=A --project=p --account=me@x.y --format=json`,
      "p/A",
    ],
    [
      { account: "default|s@x.y,t@x.y", from: "p", names: ["A"] },
      `${access} latest --secret=A --project=p --impersonate-service-account=s@x.y,t@x.y --format=json`,
      "p/A",
    ],
  ])("%j is %s", async (wanted, call, key) => {
    const gcloud = tool("gcloud", { "auth list --format=json": '[{"account":"me"}]', [call]: data("välue\n") });
    expect(await gcloud.fetch("gcp", wanted)).toEqual([[key, "välue\n"]]);
    expect(await gcloud.fetch("gcp_secret_manager", wanted)).toEqual([[key, "välue\n"]]);
  });

  test("logs in if no account is there", async () => {
    const gcloud = tool("gcloud", {
      "auth list --format=json #1": "[]",
      "auth login": "",
      "auth list --format=json #2": "[{}]",
      [`${access} latest --secret=A --format=json`]: data("a"),
      "auth list --format=json": "[]",
    });
    expect(await gcloud.fetch("gcp", { account: "default", names: ["A"] })).toEqual([["default/A", "a"]]);
    await expect(gcloud.fetch("gcp", { account: "default", names: ["A"] })).rejects.toThrow(
      "could not log in to gcloud",
    );
  });
});

describe("doppler", () => {
  const answer = JSON.stringify({ A: { computed: "a", raw: "${B}" }, B: { computed: "b" } });
  const found = [
    ["A", "a"],
    ["B", "b"],
  ];

  test("reads from a project and a config", async () => {
    const doppler = tool("doppler", { "me --json": "{}", "secrets get A B --json -p app -c prd": answer });
    expect(await doppler.fetch("doppler", { from: "app/prd", names: ["A", "B"] })).toEqual(found);
    await expect(doppler.fetch("doppler", { names: ["A"] })).rejects.toThrow("--from PROJECT/CONFIG");
  });

  test("logs in, and needs no project with a service token", async () => {
    const doppler = tool("doppler", { "me --json": failing("no"), "login -y": "", "secrets get A B --json": answer });
    const environment = { DOPPLER_TOKEN: "dp.st.prd.xyz" };
    expect(await doppler.fetch("doppler", { names: ["A", "B"], environment })).toEqual(found);
    expect(doppler.calls()).toEqual(["me --json", "login -y", "secrets get A B --json"]);
  });
});

test("enpass reads titles from a vault, and takes the labels that are named", async () => {
  const item = (title: string, label: string | undefined, password: string) => ({ title, label, password });
  const enpass = tool("enpass-cli", {
    "-json -vault /v show App Other": JSON.stringify([
      item("App", "A", "a"),
      item("App", "B", "b"),
      item("Other", "C", "c"),
      item("Other", undefined, "d"),
      item("Other", "empty", ""),
    ]),
    "-json -vault /v show Twice": JSON.stringify([item("Twice", "A", "a"), item("Twice", "A", "b")]),
  });
  expect(await enpass.fetch("enpass", { from: "/v", names: ["App/A", "Other"] })).toEqual([
    ["App/A", "a"],
    ["Other/C", "c"],
    ["Other", "d"],
  ]);
  await expect(enpass.fetch("enpass", { from: "/v", names: ["Twice"] })).rejects.toThrow("present more than once");
  await expect(enpass.fetch("enpass", { names: ["App"] })).rejects.toThrow("--from FOLDER");
});

describe("passbolt", () => {
  const folder = (id: string, name: string, parent = "") => ({ id, name, folder_parent_id: parent });
  const columns = "--column name --column password --json";

  test("reads names at the top and in folders", async () => {
    const passbolt = tool("passbolt", {
      verify: "",
      'list folders --filter Name == "prod" --json': JSON.stringify([folder("1", "prod")]),
      'list folders --filter Name == "db" && FolderParentID == "1" --json': JSON.stringify([folder("2", "db", "1")]),
      [`list resources --filter Name == "A" || (Name == "B" && FolderParentID == "2") --folder 1 --folder 2 ${columns}`]:
        JSON.stringify([
          { name: "A", password: "a" },
          { name: "B", password: "b" },
        ]),
      [`list resources --filter Name == "C" ${columns}`]: "[]",
    });
    expect(await passbolt.fetch("passbolt", { names: ["A", "prod/db/B"] })).toEqual([
      ["A", "a"],
      ["B", "b"],
    ]);
    await expect(passbolt.fetch("passbolt", { names: ["C"] })).rejects.toThrow("could not find C in Passbolt");
    await expect(passbolt.fetch("passbolt", {})).rejects.toThrow("no secrets are named");
  });

  test("a folder that does not exist is an error", async () => {
    const passbolt = tool("passbolt", { verify: "", 'list folders --filter Name == "prod" --json': "[]" });
    await expect(passbolt.fetch("passbolt", { from: "prod", names: ["A"] })).rejects.toThrow(
      "could not find the folders prod in Passbolt",
    );
  });
});

test.each([
  ["1password", "1Password CLI is not installed: there is no op on the PATH"],
  ["lastpass", "LastPass CLI is not installed: there is no lpass"],
  ["bitwarden", "Bitwarden CLI is not installed: there is no bw"],
  ["bitwarden-sm", "Bitwarden Secrets Manager CLI is not installed: there is no bws"],
  ["aws_secrets_manager", "AWS CLI is not installed: there is no aws"],
  ["gcp", "gcloud CLI is not installed: there is no gcloud"],
  ["doppler", "Doppler CLI is not installed: there is no doppler"],
  ["enpass", "Enpass CLI is not installed: there is no enpass-cli"],
  ["passbolt", "Passbolt CLI is not installed: there is no passbolt"],
])("%s without its tool is an error", async (adapter, message) => {
  const context = { cwd: tmpdir(), environment: { PATH: "/nowhere" }, mask: (text: string) => text };
  const request = { adapter, names: ["A"], account: "me", from: "a/b" };
  await expect(fetchSecrets(request, context)).rejects.toThrow(message);
});

test("the adapter test reverses each name", async () => {
  const none = tool("none", {});
  expect(await none.fetch("test", { account: "me", from: "x", names: ["aLPAREN", "b"] })).toEqual([
    ["x/aLPAREN", "(a/x"],
    ["x/b", "b/x"],
  ]);
});
