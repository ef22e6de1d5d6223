import { expect, test } from "vitest";
import { listenerAddressesOf, listenersOf } from "../../src/observe/listeners.ts";

test("containers by name, programs by name for root, containers before docker's own proxy", () => {
  const text = [
    'LISTEN 0 4096 0.0.0.0:80 0.0.0.0:* users:(("docker-proxy",pid=99,fd=4))',
    'LISTEN 0 511 [::]:443 [::]:* users:(("nginx",pid=12,fd=6),("nginx",pid=13,fd=6))',
    "LISTEN 0 128 127.0.0.1:8080 0.0.0.0:*",
  ].join("\n");
  const published = [
    { name: "web-1", ports: "0.0.0.0:80->80/tcp, :::80->80/tcp" },
    { name: "dns", ports: "0.0.0.0:53->53/udp, 0.0.0.0:9000-9001->9000-9001/tcp" },
    { name: "idle", ports: "" },
  ];
  expect([...listenersOf(text, published)].toSorted(([a], [b]) => a - b)).toEqual([
    [80, "the container web-1"],
    [443, "nginx (process 12)"],
    [8080, "another program"],
    [9000, "the container dns"],
    [9001, "the container dns"],
  ]);
});

test("the addresses of a port that is not in use at every address", () => {
  const text = [
    "LISTEN 0 511 127.0.0.53%lo:53 0.0.0.0:*",
    "LISTEN 0 511 [::1]:53 [::]:*",
    'LISTEN 0 511 *:81 *:* users:(("nginx",pid=12,fd=6))',
    "LISTEN 0 511 127.0.0.1:81 0.0.0.0:*",
    "LISTEN 0 511 [::]:82 [::]:*",
  ].join("\n");
  const published = [{ ports: "192.0.2.7:80->80/tcp, [2001:db8::1]:80->80/tcp, 0.0.0.0:83->83/tcp, :::83->83/tcp" }];
  expect(listenerAddressesOf(text, published)).toEqual(
    new Map([
      [53, ["127.0.0.53", "::1"]],
      [80, ["192.0.2.7", "2001:db8::1"]],
    ]),
  );
});

test.each(["1-99999999999", "99999999999", "9001-9000", "1-65536"])(
  "a range %s that docker cannot have named is none",
  (range) => {
    expect(listenersOf("", [{ name: "web-1", ports: `0.0.0.0:${range}->80/tcp` }])).toEqual(new Map());
  },
);

test("a host's ports are counted up to a limit", () => {
  const ports = Array.from({ length: 10_000 }, () => "0.0.0.0:1-65535->1-65535/tcp").join(", ");
  expect(listenersOf("", [{ name: "web-1", ports }]).size).toBe(65_535);
});
