import { describe, expect, test } from "vitest";
import { buildAndPush, buildStep, dirtyImages } from "../../src/commands/build.ts";
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
});

test("docker's own builder builds, then pushes both tags", () => {
  expect(lines(built({ kind: "native" }))).toEqual([
    "docker build -t dhh/app:1 -t dhh/app:latest --label service=app --file Dockerfile .",
    "docker push dhh/app:1",
    "docker push dhh/app:latest",
  ]);
});

describe("an image that goes elsewhere than to the registry", () => {
  const sent = (given: Config, output: string) =>
    buildAndPush(given, "1", new Map(), { output }).map(({ body }) => line(body));

  test("is not pushed", () => {
    expect(sent(built({}), "type=oci,dest=/a.tar")).toEqual([
      "docker buildx build --output type=oci,dest=/a.tar --platform linux/amd64,linux/arm64 " +
        "--builder mrsk-app-multiarch -t dhh/app:1 -t dhh/app:latest --label service=app --file Dockerfile .",
    ]);
    expect(sent(built({ kind: "native" }), "type=oci,dest=/a.tar")).toEqual([
      "docker build --output type=oci,dest=/a.tar -t dhh/app:1 -t dhh/app:latest --label service=app --file Dockerfile .",
    ]);
  });

  test("has this machine's platform in its engine, which stores one: the flag is left out if there are several", () => {
    expect(sent(built({}), "type=docker")[0]).toMatch(/^docker buildx build --output type=docker --builder /);
    const one = built({ kind: "native/cached", nativeArch: "arm64" });
    expect(sent(one, "type=docker")[0]).toMatch(
      /^docker buildx build --output type=docker --platform linux\/arm64 --builder /,
    );
  });

  test("needs no flag for docker's own builder, whose classic form has none", () => {
    expect(sent(built({ kind: "native" }), "type=docker")[0]).toMatch(/^docker build -t /);
  });
});

test("an image of the working directory has other names, and --no-cache comes first", () => {
  const given = built({ kind: "native" });
  const step = buildStep(given, dirtyImages(given, "1"), new Map(), { noCache: true, output: "type=docker" });
  expect(line(step.body)).toBe(
    "docker build --no-cache -t dhh/app:1-dirty -t dhh/app:latest-dirty --label service=app --file Dockerfile .",
  );
});
