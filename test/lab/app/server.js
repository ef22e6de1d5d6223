// A small web app with a database. Variables make it misbehave, for the tests.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { literal, query } from "./pg.js";

const { env } = process;
const open = new Set();
let stopping = false;

const server = createServer(async (request, response) => {
  open.add(response);
  response.on("close", () => open.delete(response));
  const url = new URL(request.url, "http://app");
  const send = (status, body, type = "text/plain; charset=utf-8") => {
    // While it stops, the client must send its next request on another connection.
    if (stopping) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": type, "x-version": version() });
    response.end(body);
  };
  try {
    await route(request, response, url, send);
  } catch (error) {
    send(500, `${error.message}\n`);
  }
});

// The proxy must close an idle connection first: otherwise a request may arrive while the app closes it.
server.keepAliveTimeout = 120_000;

async function route(request, response, url, send) {
  const [, first, rest] = url.pathname.split("/");
  switch (first) {
    case "":
      return send(200, "hello from lab app\n");
    case "up":
      return env.FAIL_HEALTH === "1" ? send(503, "failing on purpose\n") : send(200, "ok\n");
    case "version":
      return send(200, `${version()}\n`);
    case "env":
      return rest in env ? send(200, env[rest]) : send(404, "not set");
    case "headers":
      return send(200, JSON.stringify(request.headers), "application/json");
    case "slow":
      return setTimeout(() => send(200, `${version()} slowly\n`), Number(url.searchParams.get("ms") ?? 4000));
    case "echo":
      return send(200, await bodyOf(request));
    case "events":
      return events(response);
    case "assets":
      return readFile(`/app/assets/${rest}`).then((file) => send(200, file), () => send(404, "no such asset\n"));
    case "neighbour":
      return send(200, await (await fetch(`http://${rest}:7000/`)).text());
    case "crash":
      return process.exit(1);
    case "records":
      return records(request, decodeURIComponent(rest ?? ""), send);
    default:
      return send(404, "no such page\n");
  }
}

async function records(request, key, send) {
  if (request.method === "PUT") {
    const value = (await bodyOf(request)).toString();
    await query(`INSERT INTO records VALUES (${literal(key)}, ${literal(value)}) ON CONFLICT (key) DO UPDATE SET value = excluded.value`);
    return send(201, "stored\n");
  }
  const [found] = await query(`SELECT value FROM records WHERE key = ${literal(key)}`);
  return found ? send(200, found[0]) : send(404, "no such record\n");
}

function events(response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${version()} ${++count}\n\n`), 250);
  response.on("close", () => clearInterval(timer));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const version = () => env.APP_VERSION ?? env.MRSK_VERSION ?? env.MRSK_CONTAINER_NAME ?? "none";

// WebSocket: echoes every text frame shorter than 126 bytes, with the version before it.
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on("error", () => {});
  socket.on("data", (frame) => {
    if ((frame[0] & 15) === 8) return socket.end(Buffer.from([0x88, 0]));
    const length = frame[1] & 127;
    const mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4]));
    const answer = Buffer.concat([Buffer.from(`${version()} `), text]).subarray(0, 125);
    socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]));
  });
});

// Reaction to SIGTERM: polite (finish open requests), rude (exit immediately), or ignore.
const manner = env.TERM_MANNER ?? "polite";
process.on("SIGTERM", () => {
  if (manner === "ignore") return;
  if (manner === "rude") process.exit(0);
  stopping = true;
  server.close();
  server.closeIdleConnections();
  const timer = setInterval(() => open.size === 0 && process.exit(0), 20);
  setTimeout(() => process.exit(0), 8000);
  timer.ref();
});

if (env.CRASH_AFTER_MS) setTimeout(() => process.exit(1), Number(env.CRASH_AFTER_MS));
setTimeout(() => server.listen(Number(env.PORT ?? 3000), () => console.log(`listening, version ${version()}`)), Number(env.START_DELAY_MS ?? 0));
