import { expect, test } from "vitest";
import { openKamalSecrets, openVariables } from "../../../src/config/kamal-secrets/project-variables.ts";
import { project } from "../../support/cli.ts";

const KAMAL_1 = "service: app\nbuilder: { local: { arch: arm64 } }\n";
const KAMAL_2 = "service: app\nbuilder:\n  arch: amd64\n";
const PATH = process.env["PATH"]!;

async function open(files: Readonly<Record<string, string>>, destination?: string) {
  const cwd = project(files);
  const processEnvironment = { PATH, P: "process" };
  return openVariables({ file: "config/deploy.yml", destination, cwd, processEnvironment, verbose: false });
}

/** Where the secrets come from. */
async function sourceOf(files: Readonly<Record<string, string>>, destination?: string): Promise<string> {
  const { kamalSecrets, environment } = await open(files, destination);
  if (kamalSecrets) return kamalSecrets.files.join(" ") || "no file";
  return (await environment.get("A")) === undefined ? "the process" : ".env";
}

const SECRETS = { ".kamal/secrets": "A=kamal" };
const ENV = { ".env": "A=env" };

test.each([
  ["of MRSK with .env", { "config/deploy.yml": KAMAL_1, ...ENV }, ".env"],
  ["of MRSK without files", { "config/deploy.yml": KAMAL_1 }, "the process"],
  ["of Kamal 1 with both kinds of files", { "config/deploy.yml": KAMAL_1, ...ENV, ...SECRETS }, ".env"],
  ["with .kamal/secrets and without .env", { "config/deploy.yml": KAMAL_1, ...SECRETS }, ".kamal/secrets"],
  ["with an example of secrets", { "config/deploy.yml": KAMAL_1, ".kamal/secrets.example": "A=x", ...ENV }, ".env"],
  ["of Kamal 2 with both kinds of files", { "config/deploy.yml": KAMAL_2, ...ENV, ...SECRETS }, ".kamal/secrets"],
  ["of Kamal 2 with .env", { "config/deploy.yml": KAMAL_2, ...ENV }, ".env"],
  ["of Kamal 2 without files", { "config/deploy.yml": KAMAL_2 }, "the process"],
  ["with proxy", { "config/deploy.yml": "proxy: { host: x }", ...ENV, ...SECRETS }, ".kamal/secrets"],
  ["with a template", { "config/deploy.yml": "<% x = 1 %>\nproxy: <%= x %>", ...ENV, ...SECRETS }, ".kamal/secrets"],
  ["that is no YAML", { "config/deploy.yml": "proxy: {", ...ENV, ...SECRETS }, ".env"],
  [
    "with secrets_path",
    { "config/deploy.yml": "secrets_path: s/x", "s/x-common": "A=1", "s/x": "", ...ENV },
    "s/x-common s/x",
  ],
  ["without a configuration", SECRETS, ".kamal/secrets"],
])("a project %s", async (_, files, source) => {
  expect(await sourceOf(files as unknown as Record<string, string>)).toBe(source);
});

test("the destination's file decides too, and has its own secrets", async () => {
  const files = {
    "config/deploy.yml": KAMAL_1,
    "config/deploy.staging.yml": "proxy: true",
    ...ENV,
    ...SECRETS,
    ".kamal/secrets.staging": "A=1",
  };
  expect(await sourceOf(files)).toBe(".env");
  expect(await sourceOf(files, "staging")).toBe(".kamal/secrets.staging");
  expect(await sourceOf({ ...files, "config/deploy.other.yml": "proxy: true" }, "other")).toBe("no file");
});

test("in a Kamal 2 project .env is not read, and ENV has the destination", async () => {
  const { environment, notes } = await open(
    { "config/deploy.yml": KAMAL_2, "config/deploy.staging.yml": "labels: {}", ".env": "A=$NOPE", ...SECRETS },
    "staging",
  );
  expect(await environment.get("A")).toBeUndefined();
  expect(await environment.get("P")).toBe("process");
  expect(await environment.get("KAMAL_DESTINATION")).toBe("staging");
  expect(notes).toEqual([]);
});

test("a note if .env is read in place of missing secrets files, and for names that are not set", async () => {
  expect(
    (await open({ "config/deploy.yml": KAMAL_2, "config/deploy.staging.yml": "labels: {}", ...ENV }, "staging")).notes,
  ).toEqual([
    "This is a Kamal 2 project with neither .kamal/secrets-common nor .kamal/secrets.staging: secrets are read from .env.",
  ]);
  expect((await open({ "config/deploy.yml": KAMAL_1, ...ENV })).notes).toEqual([]);
  expect((await open({ ".kamal/secrets": "A=$NOPE" })).notes).toHaveLength(1);
});

test("commands of secrets files find a kamal, which is this program", async () => {
  const cwd = project({ ".kamal/secrets": "A=$(command -v kamal)" });
  const secrets = await openKamalSecrets({
    file: "x",
    destination: undefined,
    cwd,
    processEnvironment: { PATH },
    verbose: false,
  });
  expect(await secrets.get("A")).toMatch(/\/bin\/kamal\/kamal$/);
});
