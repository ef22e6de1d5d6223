import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { requestMarker } from "../../../src/flow/certificates/marker.ts";

/** An HTTP server at a port of 127.0.0.1, until the test ends. */
async function serve(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("a response with the marker shows that the name leads to the hosts", async () => {
  const seen: unknown[] = [];
  const port = await serve((request, response) => {
    seen.push(request.url, request.headers.host);
    response.writeHead(404, { "x-mrsk-marker": "0123" }).end();
  });
  expect(await requestMarker("127.0.0.1", "0123", port)).toBeUndefined();
  expect(seen).toEqual(["/.well-known/acme-challenge/mrsk-0123", "127.0.0.1"]);
});

test.each([
  ["without a marker", {}, "another server answers, with status 404"],
  ["with the marker of another run", { "x-mrsk-marker": "4567" }, "another server answers, with status 404"],
  ["with its name", { server: "nginx" }, "another server answers, with status 404 from nginx"],
])("a response %s comes from another server", async (_, headers, response) => {
  const port = await serve((_request, answer) => void answer.writeHead(404, headers).end());
  expect(await requestMarker("127.0.0.1", "0123", port)).toEqual({ name: "127.0.0.1", dns: "127.0.0.1", response });
});

test("a port that refuses connections is reported with the address", async () => {
  expect(await requestMarker("127.0.0.1", "0123", 1)).toEqual({
    name: "127.0.0.1",
    dns: "127.0.0.1",
    response: "connect ECONNREFUSED 127.0.0.1:1",
  });
});

test("a name without an address is reported, and nothing is requested", async () => {
  // RFC 6761: `.invalid` never has an address.
  const unreached = await requestMarker("no-such-name.invalid", "0123", 1);
  expect(unreached).toMatchObject({ name: "no-such-name.invalid", response: "nothing can be requested" });
  expect(unreached?.dns).toMatch(/^(?:no address|an error \(EAI_AGAIN\))$/);
});
