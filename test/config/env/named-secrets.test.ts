import { expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { initialSecrets, seemsSecret } from "../../../src/config/env/named-secrets.ts";
import { loadEnvironment } from "../../../src/config/env/environment.ts";
import { inFolder } from "../from-yaml.ts";

const DEPLOY = `service: app
image: acme/app
servers:
  web: { hosts: [{ "1.1.1.1": tagged }], env: { secret: [ROLE] } }
registry: { username: [USERNAME], password: [PASSWORD] }
env: { secret: [APP], tags: { tagged: { secret: [TAG] } } }
builder: { secrets: [BUILD], args: { TOKEN: build-argument, NODE_VERSION: 20.1.0 } }
accessories: { db: { image: db, host: 1.1.1.1, env: { secret: [DB, FETCHED] } } }
traefik: { env: { secret: [TRAEFIK] } }
ssh: { key_data: [SSH_KEY] }
`;

const NAMES = ["ROLE", "USERNAME", "PASSWORD", "APP", "TAG", "BUILD", "DB", "TRAEFIK", "SSH_KEY"];

async function atHand(yaml: string, dotenv: string, processEnvironment: Record<string, string>): Promise<string[]> {
  return inFolder({ "deploy.yml": yaml, ".env": dotenv }, async (cwd) => {
    const environment = await loadEnvironment({ cwd, destination: undefined, processEnvironment });
    const config = await loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
    const secrets = await initialSecrets(config, environment);
    return [...new Set(secrets.map((secret) => secret.reveal()))].toSorted();
  });
}

test("secrets that the configuration names are known, from .env and from the process", async () => {
  const dotenv = NAMES.slice(0, 5).map((name) => `${name}=plain${name.toLowerCase()}`);
  const fromProcess = NAMES.slice(5).map((name): [string, string] => [name, `plain${name.toLowerCase()}`]);
  const found = await atHand(DEPLOY, `${dotenv.join("\n")}\nFETCHED=$(exit 1)\n`, Object.fromEntries(fromProcess));
  const expected = NAMES.map((name) => `plain${name.toLowerCase()}`);
  expect(found).toEqual([...expected, "build-argument"].toSorted());
});

test("a password in the configuration is known, and a user name in the image's name is no secret", async () => {
  const yaml = DEPLOY.replace("[PASSWORD]", "written-out");
  const found = await atHand(yaml, "USERNAME=acme\nOTHER=a8b7c6d5e4\n", {});
  expect(found).toEqual(["a8b7c6d5e4", "build-argument", "written-out"]);
});

test.each([
  ["RAILS_ENV", "production"],
  ["PORT", "3000"],
  ["WEB_CONCURRENCY", "2"],
  ["DB_HOST", "db-1.internal.example.com:5432"],
  ["APP_URL", "https://app.example.com/path"],
  ["HOME_FOLDER", "/home/rails/app"],
  ["SSH_KEY_FILE", "/home/me/.ssh/id_ed25519"],
  ["REGION", "eu-central-1"],
  ["LANG", "en_US.UTF-8"],
  ["VERSION", "f3b1c5d7e9a8b6c4"],
  ["ADDRESS", "192.168.10.20"],
  ["KEYCLOAK", "true"],
])("%s=%s is no secret", (name, value) => expect(seemsSecret(name, value)).toBe(false));

test.each([
  ["DATABASE_URL", "postgres://app:word@db.example.com/app"],
  ["ADMIN_PASSWORD", "swordfish"],
  ["RAILS_MASTER_KEY", "b1946ac92492d234"],
  ["STRIPE", "sk_live_51H8x9aBcDeF"],
  ["SOMETHING", "correct horse battery 9staple7"],
  ["PIN", "8f14e45f"],
])("%s=%s is a secret", (name, value) => expect(seemsSecret(name, value)).toBe(true));
