import { randomBytes } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";

type Kind = "WebSocket" | "event stream";

/** One connection that stays open. Times are milliseconds since the epoch. */
interface Stream {
  readonly kind: Kind;
  readonly opened: number;
  /** The version that answers; undefined before its first message. */
  version: string | undefined;
  ended: number | undefined;
  why: string | undefined;
  close: () => void;
}

interface Change {
  readonly version: string;
  readonly at: number;
}

const FRAME_MILLISECONDS = 200;

/**
 * A WebSocket and an event stream, opened again whenever they end, and at every change of the version. Checks that each
 * lasted until the drain limit of its container, and that each new one reached the live version.
 */
export class Streams {
  private readonly base: URL;
  private readonly drainMilliseconds: number;
  private readonly streams: Stream[] = [];
  private readonly changes: Change[];
  private stopping = false;

  constructor(base: string, { drainSeconds, version }: { drainSeconds: number; version: string }) {
    this.base = new URL(base);
    this.drainMilliseconds = drainSeconds * 1000;
    this.changes = [{ version, at: 0 }];
    this.openBoth();
  }

  /** Call it as soon as another version is live. */
  changed(version: string): void {
    this.changes.push({ version, at: Date.now() });
    this.openBoth();
  }

  /** Closes all streams. @returns `problems`: empty if all streams were correct */
  stop(): { count: number; problems: string[] } {
    this.stopping = true;
    for (const stream of this.streams) stream.close();
    return { count: this.streams.length, problems: this.streams.flatMap((stream) => this.problemOf(stream) ?? []) };
  }

  private problemOf({ kind, opened, version, ended, why }: Stream): string | undefined {
    const live = this.changes.findLast(({ at }) => at <= opened)!;
    if (version === undefined) return ended === undefined ? undefined : `${kind} got no message: ${why}`;
    // A stream that is opened during the change may reach either version.
    const next = this.changes.find(({ at }) => at > opened);
    const about = next !== undefined && next.version === version && next.at - opened < 1000;
    if (version !== live.version && !about) return `${kind} reached ${version}, live was ${live.version}`;
    if (ended === undefined || about) return undefined;
    if (!next) return `${kind} of the live version ended: ${why}`;
    const lived = ended - next.at;
    return lived >= this.drainMilliseconds ? undefined : `${kind} ended ${lived} ms after the change: ${why}`;
  }

  private openBoth(): void {
    this.open("WebSocket");
    this.open("event stream");
  }

  private open(kind: Kind): void {
    const stream: Stream = {
      kind,
      opened: Date.now(),
      version: undefined,
      ended: undefined,
      why: undefined,
      close: () => {},
    };
    this.streams.push(stream);
    const end = (why: string) => {
      if (this.stopping || stream.ended !== undefined) return;
      stream.ended = Date.now();
      stream.why = why;
      stream.close();
      setTimeout(() => this.stopping || this.open(kind), 100);
    };
    const received = (message: string) => {
      const version = message.trim().split(" ")[0];
      if (version) stream.version ??= version;
    };
    if (kind === "WebSocket") this.webSocket(stream, received, end);
    else this.eventStream(stream, received, end);
  }

  private eventStream(stream: Stream, received: (text: string) => void, end: (why: string) => void): void {
    const outgoing = request(new URL("/events", this.base), { agent: false }, (response: IncomingMessage) => {
      if (response.statusCode !== 200) return end(`status ${response.statusCode}`);
      response.setEncoding("utf8").on("data", (text: string) => received(text.replace(/^data: /, "")));
      response.on("error", (error) => end(error.message)).on("close", () => end("closed"));
    });
    stream.close = () => outgoing.destroy();
    outgoing.on("error", (error) => end(error.message)).end();
  }

  private webSocket(stream: Stream, received: (text: string) => void, end: (why: string) => void): void {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
    };
    const outgoing = request(new URL("/", this.base), { agent: false, headers });
    outgoing.on("response", (response) => end(`status ${response.statusCode}`));
    outgoing.on("upgrade", (_, socket: Duplex) => {
      const timer = setInterval(() => socket.write(maskedFrame("ping")), FRAME_MILLISECONDS);
      stream.close = () => {
        clearInterval(timer);
        socket.destroy();
      };
      socket.on("data", (frame: Buffer) => received(frame.subarray(2).toString()));
      socket.on("error", (error) => end(error.message)).on("close", () => end("closed"));
    });
    stream.close = () => outgoing.destroy();
    outgoing.on("error", (error) => end(error.message)).end();
  }
}

/** A text frame of less than 126 bytes, as a client sends it. */
export function maskedFrame(text: string): Buffer {
  const mask = randomBytes(4);
  const content = Buffer.from(text).map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([Buffer.from([0x81, 0x80 | content.length]), mask, content]);
}
