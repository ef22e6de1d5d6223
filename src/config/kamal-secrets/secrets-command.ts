import { findAdapter } from "./adapters/all.ts";
import type { Fetched, FetchRequest } from "./adapters/adapter.ts";
import { SecretsCommandError } from "./secrets-command-error.ts";
import { type ToolContext, VendorTool } from "./vendor-tool.ts";

export interface Fetch extends FetchRequest {
  readonly adapter: string;
}

/** `secrets fetch`. @throws SecretsCommandError */
export async function fetchSecrets({ adapter: name, ...request }: Fetch, context: ToolContext): Promise<Fetched> {
  const adapter = findAdapter(name);
  if (adapter.needsAccount && !request.account) {
    throw new SecretsCommandError(`the adapter ${name} needs --account`);
  }
  return adapter.fetch(request, new VendorTool(adapter.program, adapter.title, context));
}

/** The JSON that `secrets fetch` prints. */
export function asJson(fetched: Fetched): string {
  return JSON.stringify(Object.fromEntries(fetched));
}

/** `secrets extract`: the value of the name, or of the first key that ends with `/` and the name. @throws SecretsCommandError */
export function extractSecret(name: string, json: string): string {
  const entries = entriesOf(json);
  const found = entries.find(([key]) => key === name) ?? entries.find(([key]) => key.endsWith(`/${name}`));
  const value = found?.[1];
  if (value === undefined || value === null) {
    const names = entries.map(([key]) => key).join(", ");
    throw new SecretsCommandError(`could not find secret ${name}${names === "" ? "" : `: there is ${names}`}`);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

function entriesOf(json: string): [string, unknown][] {
  try {
    const value = JSON.parse(json) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  } catch {
    // The message of the error would contain a part of the text.
  }
  throw new SecretsCommandError("the secrets to extract from are no JSON object: pass the output of secrets fetch");
}

const VALUED = new Map([
  ["--adapter", "adapter"],
  ["-a", "adapter"],
  ["--account", "account"],
  ["--from", "from"],
]);

/** Kamal's global options, which have no effect on `secrets fetch`. */
const IGNORED = new Set([
  "--inline",
  "--no-inline",
  "-v",
  "--verbose",
  "-q",
  "--quiet",
  "-H",
  "--skip-hooks",
  "-p",
  "--primary",
]);
const IGNORED_WITH_VALUE = new Set([
  "-d",
  "--destination",
  "-c",
  "--config-file",
  "-h",
  "--hosts",
  "-r",
  "--roles",
  "--version",
]);

/** The arguments of `secrets fetch`, options anywhere among the names. @throws SecretsCommandError */
export function readFetch(args: readonly string[]): Fetch {
  const names: string[] = [];
  const options = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const [option = "", ...assigned] = args[i]!.split("=");
    const key = VALUED.get(option);
    const dashed = option.replaceAll("_", "-");
    if (key !== undefined || IGNORED_WITH_VALUE.has(dashed)) {
      const value = assigned.length > 0 ? assigned.join("=") : args[++i];
      if (value === undefined) throw new SecretsCommandError(`${option} has no value`);
      if (key !== undefined) options.set(key, value);
    } else if (!IGNORED.has(dashed)) {
      names.push(args[i]!);
    }
  }
  const adapter = options.get("adapter");
  if (adapter === undefined) throw new SecretsCommandError("--adapter is missing");
  return { names, adapter, account: options.get("account"), from: options.get("from") };
}
