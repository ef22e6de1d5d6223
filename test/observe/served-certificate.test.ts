import { createServer as createPlainServer, type AddressInfo } from "node:net";
import { duplexPair } from "node:stream";
import { createServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { servedCertificate } from "../../src/observe/served-certificate.ts";
import { selfSigned } from "../support/certificates.ts";
import { FakeHost } from "../support/fake-host.ts";
import { tlsPort } from "../support/tls-server.ts";

const a = selfSigned(["a.example.com"]);
const other = selfSigned(["other.example.com"]);

async function namesServed(host: FakeHost, name: string, port: number): Promise<string | undefined> {
  return (await servedCertificate(host, name, port))?.subjectAltName;
}

/** Listens on a port of 127.0.0.1 until the test ends. */
async function listening(server: ReturnType<typeof createPlainServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("the certificate is the one for the name, through the connection to the host", async () => {
  const host = new FakeHost("192.0.2.1");
  host.ports.set(
    443,
    tlsPort((name) => (name === "a.example.com" ? a : other)),
  );
  expect(await namesServed(host, "a.example.com", 443)).toBe("DNS:a.example.com");
  expect(await namesServed(host, "b.example.com", 443)).toBe("DNS:other.example.com");
  // TLS has no names for addresses.
  expect(await namesServed(host, "192.0.2.1", 443)).toBe("DNS:other.example.com");
});

test("where sshd forbids forwarding, the connection goes to the host directly", async () => {
  const server = createServer({ cert: a.certificate, key: a.privateKey });
  expect(await namesServed(new FakeHost("127.0.0.1"), "a.example.com", await listening(server))).toBe(
    "DNS:a.example.com",
  );
});

test("a port without TLS serves no certificate, nor does one that refuses connections", async () => {
  const silent = createPlainServer((socket) => void socket.end("hello\n"));
  const port = await listening(silent);
  expect(await namesServed(new FakeHost("127.0.0.1"), "a.example.com", port)).toBeUndefined();
  silent.close();
  expect(await namesServed(new FakeHost("127.0.0.1"), "a.example.com", port)).toBeUndefined();
  const host = new FakeHost("192.0.2.1");
  host.ports.set(443, () => {
    const [client, server] = duplexPair();
    server.end();
    return client;
  });
  expect(await namesServed(host, "a.example.com", 443)).toBeUndefined();
});

test("an error other than a refused connection is not hidden", async () => {
  const host = new FakeHost("192.0.2.1");
  host.ports.set(443, () => {
    throw new TypeError("a fault");
  });
  await expect(servedCertificate(host, "a.example.com", 443)).rejects.toThrow("a fault");
});
