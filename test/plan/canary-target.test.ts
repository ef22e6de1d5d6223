import { describe, expect, test } from "vitest";
import { canaryTarget } from "../../src/plan/canary-target.ts";
import { type Filters, select } from "../../src/plan/select.ts";
import { config, role } from "../support/config.ts";

const fleet = config({
  roles: [
    role({ hosts: ["web-1", "web-2", "192.0.2.10"] }),
    role({ name: "workers", traefik: false, hosts: ["web-2", "jobs-1"] }),
  ],
});

function target(text: string, filters: Partial<Filters> = {}) {
  const all: Filters = { hosts: undefined, roles: undefined, primary: false, ...filters };
  const { selection, percent } = canaryTarget(fleet, all, select(fleet, all), text);
  return { percent, app: selection.app.map(({ host, roles }) => `${host}: ${roles.map(({ name }) => name).join()}`) };
}

test.each(["10%", "10", " 10 % "])(
  "%j is a percentage of the requests, on the hosts and roles behind Traefik",
  (text) => {
    expect(target(text)).toEqual({ percent: 10, app: ["web-1: web", "web-2: web", "192.0.2.10: web"] });
  },
);

test("a percentage applies to the selected hosts", () => {
  expect(target("99%", { hosts: ["web-2", "jobs-1"] })).toEqual({ percent: 99, app: ["web-2: web"] });
});

test.each([
  ["web-1", ["web-1: web"]],
  ["web-*,jobs-1", ["web-1: web", "web-2: web,workers", "jobs-1: workers"]],
  ["192.0.2.10", ["192.0.2.10: web"]],
])("%s selects hosts for a canary by host", (text, app) => {
  expect(target(text)).toEqual({ percent: undefined, app });
});

test("only hosts that the filters select become canaries", () => {
  expect(target("web-*", { hosts: ["web-2"], roles: ["workers"] }).app).toEqual(["web-2: workers"]);
  expect(() => target("web-1", { hosts: ["web-2"] })).toThrow(
    "--hosts and --roles exclude every host of --canary: web-1",
  );
});

describe("an invalid target is an error with a correct example", () => {
  test.each(["0", "0%", "00", "100", "100%", "150%", "-5", "1.5%", "1,5", "abc%", "%"])("%s", (text) => {
    expect(() => target(text)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringContaining("--canary 10%") as string }),
    );
  });

  test.each(["abc", "web-1,", "", "web-9", "web-1,web-9"])("%j", (text) => {
    expect(() => target(text)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        hint: expect.stringContaining("web-1, web-2, 192.0.2.10, jobs-1") as string,
      }),
    );
  });

  test("every host", () => {
    expect(() => target("*")).toThrow("names every host");
  });

  test("a percentage if no selected role is behind Traefik", () => {
    expect(() => target("10%", { roles: ["workers"] })).toThrow("None of the selected roles is behind Traefik");
  });
});
