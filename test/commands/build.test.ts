import { expect, test } from "vitest";
import { buildAndPush } from "../../src/commands/build.ts";
import { redact } from "../../src/script/command.ts";
import type { Config } from "../../src/config/config.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { built, config, line } from "../support/config.ts";

function lines(given: Config, version = "1", secrets: ReadonlyMap<string, Secret> = new Map()): string[] {
  return buildAndPush(given, version, secrets).map(({ body }) => line(body));
}

test("the environment carries build arguments and secrets; logs do not show their values", () => {
  const args = new Map([
    ["NODE", "20 x"],
    ["odd-name", "odd value"],
    ["HTTP_PROXY", "http://u:pw@proxy"],
  ]);
  const secrets = new Map([
    ["NPM_TOKEN", new Secret("NPM_TOKEN", "tok")],
    ["OTHER", new Secret("OTHER", "no")],
  ]);
  const given = built({ args, secrets: ["NPM_TOKEN", "FILE"] });
  expect(lines(given, "999", secrets)).toEqual([
    "NODE=<NODE> NPM_TOKEN=<NPM_TOKEN> docker buildx build --push --platform linux/amd64,linux/arm64 " +
      "--builder mrsk-app-multiarch -t dhh/app:999 -t dhh/app:latest --label service=app " +
      "--build-arg NODE --build-arg odd-name=<odd-name> --build-arg HTTP_PROXY=<HTTP_PROXY> " +
      "--secret id=NPM_TOKEN --secret id=FILE --file Dockerfile .",
  ]);
  const [build] = buildAndPush(given, "999", secrets);
  expect(redact(build!.body)).not.toMatch(/20 x|odd value|u:pw|tok/);
});

test("target, ssh and a registry cache", () => {
  const cache = { type: "registry", options: "mode=max", image: undefined } as const;
  const registry = { ...config().registry, server: "ghcr.io" };
  const given = built(
    { kind: "native/cached", target: "prod", ssh: "default=$SSH_AUTH_SOCK", cache },
    { repository: "ghcr.io/dhh/app", registry },
  );
  expect(lines(given)).toEqual([
    "docker buildx build --push --builder mrsk-app-native-cached -t ghcr.io/dhh/app:1 -t ghcr.io/dhh/app:latest " +
      "--cache-to type=registry,mode=max,ref=ghcr.io/dhh/app-build-cache --cache-from type=registry,ref=ghcr.io/dhh/app-build-cache " +
      '--label service=app --file Dockerfile --target prod --ssh default="${SSH_AUTH_SOCK}" .',
  ]);
});

test("a GitHub Actions cache", () => {
  const cache = { type: "gha", options: "mode=max", image: undefined } as const;
  expect(lines(built({ cache }))[0]).toContain(" --cache-to type=gha,mode=max --cache-from type=gha ");
  // A cache is found again only in its own scope.
  const scoped = { ...cache, options: "mode=max,scope=web,timeout=5m" };
  expect(lines(built({ cache: scoped }))[0]).toContain(
    " --cache-to type=gha,mode=max,scope=web,timeout=5m --cache-from type=gha,scope=web,timeout=5m ",
  );
});

test("docker's own builder builds, then pushes both tags", () => {
  expect(lines(built({ kind: "native" }))).toEqual([
    "docker build -t dhh/app:1 -t dhh/app:latest --label service=app --file Dockerfile .",
    "docker push dhh/app:1",
    "docker push dhh/app:latest",
  ]);
});
