import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { userInfo } from "node:os";
import { Server } from "ssh2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { outcomeOf, viaMrsk, viaOpenSsh } from "../support/ssh-clients.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

const NAMES = new Map<string, string>();
let sshd: Sshd;

beforeAll(async () => void (sshd = await startSshd(["PubkeyAuthentication no", "PasswordAuthentication yes"])));
afterAll(() => sshd.stop());

/** A server that accepts every login with the method `none`, as Tailscale SSH does. */
async function openServer(): Promise<{ server: Server; port: number; methods: string[] }> {
  const methods: string[] = [];
  const server = new Server({ hostKeys: [readFileSync(`${sshd.folder}/host_key`)] }, (client) => {
    client.on("error", () => {});
    client.on("authentication", (context) => {
      methods.push(context.method);
      if (context.method === "none") context.accept();
      else context.reject(["none"] as never);
    });
    client.on("session", (accept) => {
      accept().on("exec", (acceptExec) => {
        const stream = acceptExec();
        stream.exit(0);
        stream.end();
      });
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port, methods };
}

test.each([
  ["with a key", ["IdentityFile KEYS/id_right"]],
  ["without a key", ["IdentityFile none"]],
])("a server that requires no key accepts the login, %s", async (_, config) => {
  const { server, port, methods } = await openServer();
  const attempt = { config };
  const there = { ...sshd, port };
  expect(await outcomeOf(there, attempt, NAMES, viaOpenSsh)).toMatchObject({ in: true });
  expect(await outcomeOf(there, attempt, NAMES, viaMrsk)).toMatchObject({ in: true });
  expect(methods).toEqual(["none", "none"]);
  server.close();
});

test("a server that requires a password is an error, and is offered no key", async () => {
  const attempt = { config: ["IdentityFile KEYS/id_right"] };
  expect(await outcomeOf(sshd, attempt, NAMES, viaOpenSsh)).toMatchObject({ in: false });
  const found = await outcomeOf(sshd, attempt, NAMES, viaMrsk);
  expect(found).toMatchObject({ in: false });
  expect(found.said).toContain(
    `the server at 127.0.0.1:${sshd.port} requires password for ${userInfo().username}, which mrsk does not support`,
  );
});

test("a server that requires a password after the key is an error", async () => {
  const two = await startSshd(["PasswordAuthentication yes", "AuthenticationMethods publickey,password"]);
  const found = await outcomeOf(two, { config: ["IdentityFile KEYS/id_right"] }, NAMES, viaMrsk);
  expect(found.said).toContain(`the server at 127.0.0.1:${two.port} requires password for`);
  two.stop();
});

test("a server that requires two keys gets both", async () => {
  const two = await startSshd(["AuthenticationMethods publickey,publickey"]);
  const { authorize } = await import("../support/ssh-clients.ts");
  authorize(two, two.wrongKey);
  const attempt = { config: ["IdentityFile KEYS/id_right", "IdentityFile KEYS/id_wrong"] };
  expect(await outcomeOf(two, attempt, NAMES, viaOpenSsh)).toMatchObject({ in: true });
  expect(await outcomeOf(two, attempt, NAMES, viaMrsk)).toMatchObject({ in: true });
  two.stop();
});
