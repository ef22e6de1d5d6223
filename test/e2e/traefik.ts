import { request } from "node:http";
import { quote } from "../../src/script/command.ts";
import { lab, onServer } from "./project.ts";
import { SHARED_DIRECTORY } from "../../src/shell/constants.ts";

export interface Answer {
  /** 0: none. */
  readonly status: number;
  readonly version: string | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** Sends a request with a host name to a server, on a new connection. */
export function get(
  server: string,
  host: string,
  { path = "/version", method = "GET", headers = {} }: { path?: string; method?: string; headers?: object } = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ status: 0, version: undefined, headers: {}, text: error.message });
    const url = `http://${lab[`LAB_${server.toUpperCase()}`]}${path}`;
    const outgoing = request(url, { method, agent: false, headers: { host, ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", fail).on("end", () => {
        const version = response.headers["x-version"] as string | undefined;
        resolve({ status: response.statusCode ?? 0, version, headers: response.headers, text });
      });
    });
    outgoing.on("error", fail).end();
  });
}

/** Repeats a request until the answer is the expected one, for a limited time. @returns the last answer */
export async function until(ask: () => Promise<Answer>, wanted: (answer: Answer) => boolean): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (wanted(answer) || tries === 150) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Containers and live files that the test creates on one server, without mrsk. */
export class Bench {
  readonly server: string;
  readonly image: string;
  private count = 0;

  constructor(server: string, image: string) {
    this.server = server;
    this.image = image;
  }

  get(host: string, more: Parameters<typeof get>[2] = {}): Promise<Answer> {
    return get(this.server, host, more);
  }

  /** Starts the app as `fact-NAME`, which is also the version in its answers. */
  async start(
    name: string,
    labels: Readonly<Record<string, string>> | ReadonlyMap<string, string>,
    { image = this.image, options = [], command = [] }: { image?: string; options?: string[]; command?: string[] } = {},
  ): Promise<void> {
    const pairs = labels instanceof Map ? [...labels] : Object.entries(labels);
    const start = ["docker", "run", "--detach", "--name", `fact-${name}`, "-e", `APP_VERSION=${name}`];
    const words = [
      ...start,
      ...pairs.flatMap(([key, value]) => ["--label", `${key}=${value}`]),
      ...options,
      image,
      ...command,
    ];
    await onServer(this.server, words.map(quote).join(" "));
  }

  /** Writes a file for Traefik as mrsk does: outside of the directory, then moved into it. */
  async file(name: string, text: string): Promise<void> {
    const encoded = Buffer.from(text).toString("base64");
    await onServer(
      this.server,
      `cd ${SHARED_DIRECTORY} && echo ${encoded} | base64 -d >new && chmod 644 new && mv new traefik/${name}.yml`,
    );
  }

  async noFile(name: string): Promise<void> {
    await onServer(this.server, `rm -f ${SHARED_DIRECTORY}/traefik/${name}.yml`);
  }

  /** Resolves when Traefik knows every container started so far. */
  async settled(): Promise<void> {
    const name = `control${++this.count}`;
    await this.start(name, route(name));
    const answer = await until(
      () => this.get(`${name}.test`),
      ({ status }) => status === 200,
    );
    if (answer.status !== 200) throw new Error(`Traefik did not notice ${name}: ${answer.status}`);
  }

  async sweep(): Promise<void> {
    await onServer(
      this.server,
      `docker ps -aq --filter name=^fact- | xargs -r docker rm -f >/dev/null; rm -f ${SHARED_DIRECTORY}/traefik/fact-*.yml`,
    );
  }
}

/** Labels of one router and its service. */
export function route(name: string, rule = `Host(\`${name}.test\`)`): Record<string, string> {
  return {
    [`traefik.http.routers.${name}.rule`]: rule,
    [`traefik.http.services.${name}.loadbalancer.server.port`]: "3000",
  };
}
