import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onServer, succeeded, sweep } from "./project.ts";
import { site, traefiks, visit } from "./site.ts";

/** The only server of these tests. */
const SERVER = "a";

describe("one Traefik for several services", () => {
  const one = site("one", SERVER);
  const two = site("two", SERVER);

  beforeAll(async () => {
    await sweep(SERVER);
    await onServer(SERVER, "docker rmi -f traefik:v3.7.15 2>/dev/null || true; usermod -aG docker sudoer");
    await Promise.all([one.commit(), two.commit()]);
  });
  afterAll(async () => {
    await onServer(SERVER, "gpasswd -d sudoer docker");
    await sweep(SERVER);
  });

  test("two concurrent first deploys result in one Traefik that serves both", async () => {
    const ran = await Promise.all([one.project.mrsk("deploy"), two.project.mrsk("deploy")]);
    ran.forEach(succeeded);
    expect(await traefiks(SERVER)).toBe("traefik");
    expect(await visit(SERVER, "one.test")).toBe("200 ok");
    expect(await visit(SERVER, "two.test")).toBe("200 ok");
  });

  test("an unknown host name answers 503, and so does a stopped app", async () => {
    expect(await visit(SERVER, "nobody.test")).toBe("503 no available server");
    succeeded(await two.project.mrsk("app", "stop"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await visit(SERVER, "two.test")).toMatch(/^503 /);
    succeeded(await two.project.mrsk("app", "start"));
  });

  test("an app that matches all remaining requests, with the lowest priority, precedes that answer", async () => {
    const rest = site("rest", SERVER);
    const labels = {
      "traefik.http.routers.rest-web.rule": "PathPrefix(`/`)",
      "traefik.http.routers.rest-web.priority": "1",
    };
    rest.configure({}, { labels });
    await rest.commit();
    succeeded(await rest.project.mrsk("deploy"));
    expect(await visit(SERVER, "nobody.test")).toBe("200 ok");
    expect(await visit(SERVER, "two.test")).toBe("200 ok");
    succeeded(await rest.project.mrsk("app", "stop"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await visit(SERVER, "nobody.test")).toMatch(/^503 /);
    succeeded(await rest.project.mrsk("app", "remove"));
  });

  test.each(["deploy", "sudoer"])("user %s deploys by live files in a directory that root created", async (user) => {
    const other = site(`by-${user}`, SERVER, user);
    await other.commit();
    const ran = succeeded(await other.project.mrsk("deploy"));
    expect(ran.stderr).not.toContain("labels decide");
    expect(await onServer(SERVER, `stat -c %U:%G /var/lib/mrsk/traefik/by-${user}-web.yml`)).toMatch(/:docker$/);
    other.project.write("round.txt", "2");
    await other.project.commit("Second");
    succeeded(await other.project.mrsk("redeploy"));
    expect(await visit(SERVER, `by-${user}.test`)).toBe("200 ok");
    expect(await onServer(SERVER, `grep -c ' by-${user}-web:' /var/lib/mrsk/traefik/by-${user}-web.yml`)).toBe("1");
  });

  test("a reboot by one of them keeps the others serving", async () => {
    const other = site("by-deploy", SERVER, "deploy");
    await other.commit();
    succeeded(await other.project.mrsk("traefik", "reboot", "-y"));
    for (const host of ["one.test", "two.test", "by-deploy.test", "by-sudoer.test"]) {
      expect(await visit(SERVER, host)).toBe("200 ok");
    }
  });

  test("a removal keeps Traefik for the others, and names them", async () => {
    const stays = succeeded(await two.project.mrsk("remove", "-y"));
    expect(stays.stderr).toContain("Traefik is not removed: by-deploy, by-sudoer, one use it");
    const refused = succeeded(await one.project.mrsk("traefik", "remove"));
    expect(refused.stderr).toContain("Traefik is not removed: by-deploy, by-sudoer use it");
    expect(await visit(SERVER, "one.test")).toBe("200 ok");
    succeeded(await one.project.mrsk("traefik", "remove", "--force"));
    expect(await onServer(SERVER, "docker ps -aq --filter name=traefik; docker images -q traefik")).toBe("");
  });
});
