import { expect, test } from "vitest";
import { admission } from "../../src/traefik/admission.ts";

const refused = (args: string[], labels: Record<string, string> = {}) =>
  admission(args, new Map(Object.entries(labels))).refused;

test("without settings Traefik routes to every container", () => {
  expect(admission(["--providers.docker"], new Map())).toEqual({ refused: undefined, hints: [] });
});

test("exposedbydefault=false requires the label traefik.enable", () => {
  const args = ["--providers.docker", "--providers.docker.exposedByDefault=false"];
  expect(refused(args)).toContain('give it the label traefik.enable: "true"');
  expect(refused(args, { "Traefik.Enable": "true" })).toBeUndefined();
  expect(refused(["--providers.docker.exposedbydefault"])).toBeUndefined();
  expect(refused(["--providers.docker.exposedbydefault=0"])).toContain("exposedbydefault=0");
});

test("the label traefik.enable=false excludes a container whatever the default", () => {
  expect(refused([], { "traefik.enable": "false" })).toBe("its label traefik.enable is false, so Traefik ignores it");
});

test("constraints are a hint", () => {
  const { refused: certain, hints } = admission(["--providers.docker.constraints=Label(`a`,`b=c`)"], new Map());
  expect(certain).toBeUndefined();
  expect(hints).toEqual([
    "Traefik routes only to containers that match --providers.docker.constraints=Label(`a`,`b=c`): check the role's labels",
  ]);
});
