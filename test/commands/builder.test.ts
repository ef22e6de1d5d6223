import { expect, test } from "vitest";
import { builderInfo, createBuilder, checkBuildx, platforms, removeBuilder } from "../../src/commands/builder.ts";
import { built, line } from "../support/config.ts";

const arm = { arch: "arm64", host: undefined };

test("a local builder builds for its architecture, on docker's current engine", () => {
  const lone = built({ local: arm });
  expect(platforms(lone)).toBe("linux/arm64");
  expect(line(createBuilder(lone)!)).toBe("docker buildx create --name mrsk-app-multiarch");
});

test("a local builder with a host gets a context", () => {
  const lone = built({ local: { arch: "arm64", host: "unix:///run/other.sock" } });
  expect(line(createBuilder(lone)!)).toBe(
    "docker context create mrsk-app-multiarch-arm64 --description 'mrsk-app-multiarch arm64 native host' " +
      "--docker host=unix:///run/other.sock && " +
      "docker buildx create --name mrsk-app-multiarch mrsk-app-multiarch-arm64 --platform linux/arm64",
  );
});

test("the platforms of a hybrid builder are those of its two machines", () => {
  const remote = { arch: "s390x", host: "ssh://a@b" };
  expect(platforms(built({ kind: "multiarch/remote", local: arm, remote }))).toBe("linux/arm64,linux/s390x");
});

test("a builder is removed before its context, and only existing parts are removed", () => {
  const remote = { arch: "amd64", host: "ssh://a@b" };
  expect(removeBuilder(built({ kind: "native/remote", remote })).map(line)).toEqual([
    "! docker buildx inspect mrsk-app-native-remote >/dev/null 2>&1 || docker buildx rm mrsk-app-native-remote",
    "! docker context inspect mrsk-app-native-remote-amd64 --format '{{.Endpoints.docker.Host}}' >/dev/null 2>&1 " +
      "|| docker context rm mrsk-app-native-remote-amd64",
  ]);
});

test("a builder for a cache", () => {
  const cached = built({ kind: "native/cached" });
  expect(line(createBuilder(cached)!)).toBe(
    "docker buildx create --name mrsk-app-native-cached --driver=docker-container",
  );
  expect(platforms(cached)).toBeUndefined();
});

test("docker's own builder needs no creation and no buildx, and has no details", () => {
  const native = built({ kind: "native" });
  expect([createBuilder(native), builderInfo(native)]).toEqual([undefined, undefined]);
  expect(removeBuilder(native)).toEqual([]);
  expect(checkBuildx(native)).toBeUndefined();
});
