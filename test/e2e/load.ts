import { Agent, request } from "node:http";

/** The result of a load run. */
export interface LoadResult {
  readonly requests: number;
  /** Requests without a correct answer, with the reason. */
  readonly lost: readonly string[];
  /** Requests sent again because the kept connection was closed before the answer. */
  readonly resent: number;
  /** Largest delay beyond the time that the request asked for. */
  readonly worstMilliseconds: number;
  /** Number of answers by version. */
  readonly versions: ReadonlyMap<string, number>;
}

interface Kind {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly keepAlive: boolean;
  /** Milliseconds that the app waits before it answers. */
  readonly takes: number;
  /** Weight in the mix. */
  readonly share: number;
}

const KINDS: readonly Kind[] = [
  { method: "GET", path: "/version", keepAlive: true, takes: 0, share: 30 },
  { method: "GET", path: "/version", keepAlive: false, takes: 0, share: 30 },
  { method: "POST", path: "/echo", body: "an echo of some length", keepAlive: true, takes: 0, share: 20 },
  { method: "POST", path: "/echo", body: "an echo of some length", keepAlive: false, takes: 0, share: 15 },
  { method: "GET", path: "/slow?ms=4000", keepAlive: true, takes: 4000, share: 5 },
];
const TIMEOUT_MILLISECONDS = 40_000;

/** Sends requests at a fixed rate, without waiting for earlier answers, as the users of a site do. */
export class Load {
  private readonly base: URL;
  private readonly host: string | undefined;
  /** `fifo`, so that each kept connection is used: a server may close an idle one. */
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: "fifo" });
  private readonly timer: NodeJS.Timeout;
  private readonly open = new Set<Promise<void>>();
  private readonly lost: string[] = [];
  private readonly versions = new Map<string, number>();
  private readonly resend: boolean;
  private count = 0;
  private resent = 0;
  private worst = 0;

  /**
   * @param host the Host header, if the route needs one
   * @param slow whether some requests take 4 s
   * @param resend whether a request is sent again if its kept connection is closed, as browsers do
   */
  constructor(
    base: string,
    {
      perSecond = 150,
      host,
      slow = true,
      resend = false,
    }: { perSecond?: number; host?: string; slow?: boolean; resend?: boolean } = {},
  ) {
    this.base = new URL(base);
    this.host = host;
    this.resend = resend;
    const mix = KINDS.filter(({ takes }) => slow || takes === 0).flatMap((kind) =>
      Array.from({ length: kind.share }, () => kind),
    );
    this.timer = setInterval(() => {
      const kind = mix[(this.count * 37) % mix.length]!;
      this.count++;
      const one = this.send(kind).finally(() => this.open.delete(one));
      this.open.add(one);
    }, 1000 / perSecond);
  }

  /** Number of requests sent so far. */
  get requests(): number {
    return this.count;
  }

  /** Resolves when at least that many requests have been sent. */
  async reached(requests: number): Promise<void> {
    while (this.count < requests) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  /** Ends the load and waits for every answer. */
  async stop(): Promise<LoadResult> {
    clearInterval(this.timer);
    await Promise.all(this.open);
    this.agent.destroy();
    return {
      requests: this.count,
      lost: this.lost,
      resent: this.resent,
      worstMilliseconds: Math.round(this.worst),
      versions: this.versions,
    };
  }

  private send(kind: Kind, again = false): Promise<void> {
    const started = performance.now();
    const at = new Date().toISOString().slice(11, 23);
    return new Promise((resolve) => {
      const fail = (why: string) => {
        this.lost.push(`${at} ${kind.method} ${kind.path} ${kind.keepAlive ? "kept" : "new"}: ${why}`);
        resolve();
      };
      const headers = {
        ...(this.host ? { host: this.host } : {}),
        ...(kind.body ? { "content-length": kind.body.length } : {}),
      };
      const outgoing = request(
        new URL(kind.path, this.base),
        {
          method: kind.method,
          headers,
          agent: kind.keepAlive && !again ? this.agent : false,
          timeout: TIMEOUT_MILLISECONDS,
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.on("error", (error) => fail(error.message));
          response.on("end", () => {
            const right = kind.body === undefined || text === kind.body;
            if (response.statusCode !== 200 || !right) return fail(`${response.statusCode} ${text.slice(0, 60)}`);
            const version = String(response.headers["x-version"]);
            this.versions.set(version, (this.versions.get(version) ?? 0) + 1);
            this.worst = Math.max(this.worst, performance.now() - started - kind.takes);
            resolve();
          });
        },
      );
      outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        if (!this.resend || again || !outgoing.reusedSocket || error.code !== "ECONNRESET") return fail(error.message);
        this.resent++;
        resolve(this.send(kind, true));
      });
      outgoing.end(kind.body);
    });
  }
}
