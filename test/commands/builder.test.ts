import { expect, test } from "vitest";
import { builderInfo, createBuilder, platforms, push, removeBuilder } from "../../src/commands/builder.ts";
import { redact } from "../../src/commands/command.ts";
import type { Builder } from "../../src/config/config.ts";
import { Secret } from "../../src/config/secret.ts";
import { config, line } from "./support.ts";

function built(builder: Partial<Builder>, overrides: Parameters<typeof config>[0] = {}) {
  return config({ ...overrides, builder: { ...config().builder, ...builder } });
}

test("build arguments and secrets travel in the environment; logs show neither's value", () => {
  const push999 = push(
    built({ args: new Map([["NODE", "20 x"], ["odd-name", "1"], ["PATH", "/x"]]), secrets: ["NPM_TOKEN", "FILE"] }), // biome-ignore format: one line
    "999",
    new Map([
      ["NPM_TOKEN", new Secret("NPM_TOKEN", "tok")],
      ["OTHER", new Secret("OTHER", "no")],
    ]),
  );
  expect(line(push999)).toBe(
    "NODE=<NODE> NPM_TOKEN=<NPM_TOKEN> docker buildx build --push --platform linux/amd64,linux/arm64 " +
      "--builder mrsk-app-multiarch -t dhh/app:999 -t dhh/app:latest --label service=app " +
      "--build-arg odd-name=1 --build-arg PATH=/x --build-arg NODE --secret id=NPM_TOKEN --secret id=FILE --file Dockerfile .",
  );
  expect(redact(push999)).not.toContain("20 x");
});

test("target, ssh and a registry cache", () => {
  const cache = { type: "registry", options: "mode=max", image: undefined } as const;
  const registry = { ...config().registry, server: "ghcr.io" };
  const given = built(
    { kind: "native/cached", target: "prod", ssh: "default=$SSH_AUTH_SOCK", cache },
    { repository: "ghcr.io/dhh/app", registry },
  );
  expect(line(push(given, "1"))).toBe(
    "docker buildx build --push --builder mrsk-app-native-cached -t ghcr.io/dhh/app:1 -t ghcr.io/dhh/app:latest " +
      "--cache-to type=registry,mode=max,ref=ghcr.io/dhh/app-build-cache --cache-from type=registry,ref=ghcr.io/dhh/app-build-cache " +
      "--label service=app --file Dockerfile --target prod --ssh 'default=$SSH_AUTH_SOCK' .",
  );
  expect(line(createBuilder(given)!)).toBe(
    "docker buildx create --name mrsk-app-native-cached --driver=docker-container",
  );
  expect(line(removeBuilder(given)!)).toBe("docker buildx rm mrsk-app-native-cached");
});

test("a GitHub Actions cache", () => {
  const cache = { type: "gha", options: "mode=max", image: undefined } as const;
  expect(line(push(built({ cache }), "1"))).toContain(" --cache-to type=gha,mode=max --cache-from type=gha ");
});

test("a lone local builder builds for its own architecture", () => {
  expect(platforms(built({ local: { arch: "arm64", host: undefined } }))).toBe("linux/arm64");
});

test("docker's own builder needs no creation and tells nothing", () => {
  const native = built({ kind: "native" });
  expect([createBuilder(native), removeBuilder(native), builderInfo(native)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(line(push(native, "1"))).toBe(
    "docker build -t dhh/app:1 -t dhh/app:latest --label service=app --file Dockerfile . && docker push dhh/app:1 && docker push dhh/app:latest",
  );
});
