import { expect, test } from "vitest";
import { Secret } from "../../../src/config/env/secret.ts";
import { accessoryExec, appExec } from "../../../src/flow/app/exec.ts";
import { takeLock } from "../../../src/flow/lock.ts";
import { serverExec } from "../../../src/flow/server.ts";
import { withoutLiterals } from "../../../src/flow/app/typed.ts";
import { Mask } from "../../../src/script/mask.ts";
import { accessory, config, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost } from "../../support/world.ts";

const HOST = "192.0.2.1";
const PLAIN = { interactive: false, raw: false, reuse: false, env: new Map<string, string>() };

test.each([
  ["docker run -e TOKEN=abc123 img", "docker run -e TOKEN=[REDACTED] img"],
  ["docker run -eX=1 --env Y='a b' img", "docker run -eX=[REDACTED] --env Y=[REDACTED] img"],
  [`docker run -e 'X=a b' --env="Y=c d"`, `docker run -e 'X=[REDACTED]' --env="Y=[REDACTED]"`],
  ["docker exec -ite X=abc db sh", "docker exec -ite X=[REDACTED] db sh"],
  ["docker build --build-arg X=abc .", "docker build --build-arg X=[REDACTED] ."],
  ["PGPASSWORD=abc psql -U app", "PGPASSWORD=[REDACTED] psql -U app"],
  ["export API_TOKEN=abc; run", "export API_TOKEN=[REDACTED]; run"],
  ["psql postgres://app:s3cret@db/app", "psql postgres://app:[REDACTED]@db/app"],
  ["redis-cli --password s3cret ping", "redis-cli --password [REDACTED] ping"],
  ["tool --api-key=s3cret --verbose", "tool --api-key=[REDACTED] --verbose"],
  ["mysql -u root -ps3cret app", "mysql -u root -p[REDACTED] app"],
  [`curl -H 'Authorization: Bearer abc.def' https://x`, `curl -H 'Authorization: Bearer [REDACTED]' https://x`],
  ["ls -e RAILS_ENV", "ls -e RAILS_ENV"],
  ["RAILS_ENV=test rails db:migrate --trace", "RAILS_ENV=test rails db:migrate --trace"],
  [`sh -c "echo it's; $HOME > x" [2]*`, `sh -c "echo it's; $HOME > x" [2]*`],
])("%s is logged as %s", (typed, written) => expect(withoutLiterals(typed, new Map())).toBe(written));

/** A run that knows one secret. */
function knowing(): FakeRun {
  const mask = new Mask([new Secret("KNOWN", "known-secret-value")]);
  const app = config({ roles: [role({ hosts: [HOST] })], accessories: [accessory({ hosts: [HOST] })] });
  const run = fakeRun(app, { mask: (text) => mask.text(text) });
  aHost(HOST).behindTraefik().fake(run);
  return run;
}

/** What the run writes to files on the server. */
const written = (run: FakeRun) =>
  run.hosts
    .get(HOST)!
    .commands.filter((command) => command.includes("audit.log"))
    .join("\n");

const LINE = "tool known-secret-value -e NAME=typed-literal given-with-option";
const GIVEN = { ...PLAIN, env: new Map([["OPTION", "given-with-option"]]) };

test.each<[string, (run: FakeRun) => Promise<void>]>([
  ["server exec", (run) => serverExec(run, run.terminal, LINE.replace(" given-with-option", ""), PLAIN)],
  ["app exec", (run) => appExec(run, run.terminal, LINE, GIVEN)],
  ["accessory exec", (run) => accessoryExec(run, run.terminal, "db", LINE, GIVEN)],
])("%s leaves no secret in the audit log: not a known one, and no value of -e", async (_, act) => {
  const run = knowing();
  await act(run);
  expect(written(run)).toContain("tool [REDACTED] -e NAME=[REDACTED]");
  expect(written(run)).not.toMatch(/known-secret|typed-literal|given-with-option/);
});

test("a lock's message holds no known secret", async () => {
  const run = knowing();
  await takeLock(run, "with known-secret-value");
  const [, base64 = ""] = /acquire_lock \S+ \S+ \S+ '([A-Za-z0-9+/=\n]+)'/.exec(
    run.hosts.get(HOST)!.commands.join("\n"),
  )!;
  expect(Buffer.from(base64, "base64").toString()).toContain("Message: with [REDACTED]");
});
