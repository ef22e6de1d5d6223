import { createHash, randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { commandEnvironment, type Variables } from "../env/variables.ts";
import {
  baseName,
  checkOptions,
  exists,
  expandPath,
  extension,
  fileText,
  folderName,
  isFile,
  isFolder,
  joinPath,
  nameOf,
  readFile,
  textOf,
} from "./files.ts";
import { generateJson, parseJson } from "./json.ts";
import { escapeForRegexp, regexpOf } from "./regexp.ts";
import { STRING, shellEscape } from "./strings.ts";
import {
  Refused,
  RubyException,
  RubyHash,
  type RubyProc,
  RubySymbol,
  type RubyValue,
  Unsupported,
} from "./ruby-values.ts";
import { loadYaml } from "./yaml-values.ts";

/** The environment of a call of `ENV`, `File`, `Dotenv` and so on. */
export interface CallContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** The block of the call; undefined if it has none. */
  readonly block: RubyProc | undefined;
  readonly note: (message: string) => void;
}

interface ConstantCall {
  readonly least: number;
  readonly most: number;
  readonly block?: true;
  /** Its value in Ruby is of a type that is not supported here, so the call may only be a statement. */
  readonly statement?: true;
  readonly run: (args: readonly RubyValue[], context: CallContext) => Promise<RubyValue>;
}

/** A call of a method of a constant: `ENV.fetch`. */
export interface Call {
  readonly called: string;
  readonly args: readonly RubyValue[];
  /** Whether its value is not used. */
  readonly isStatement?: boolean;
}

/** @throws Unsupported for a method that is not known here @throws Refused for a call that Ruby refuses */
export async function callConstant({ called, args, isStatement }: Call, context: CallContext): Promise<RubyValue> {
  const known = CONSTANT_CALLS.get(called);
  const fits = known && args.length >= known.least && args.length <= known.most;
  if (!fits || (context.block && !known.block) || (known.statement && !isStatement)) throw new Unsupported();
  return known.run(args, context);
}

export function isKnownConstantCall(called: string): boolean {
  return CONSTANT_CALLS.has(called);
}

const has: ConstantCall = {
  least: 1,
  most: 1,
  run: async ([name], { environment }) => (await environment.get(nameOf(name))) !== undefined,
};

const set: ConstantCall = { least: 2, most: 2, run: assign };

/** A function of one text. */
function ofText(run: (text: string) => RubyValue): ConstantCall {
  return { least: 1, most: 1, run: async ([value]) => run(nameOf(value)) };
}

const parse: ConstantCall = {
  least: 1,
  most: 2,
  run: async ([text, options], _context) => {
    checkOptions(options, ["symbolize_names"]);
    const symbols = options instanceof RubyHash && options.get(new RubySymbol("symbolize_names")) === true;
    return parseJson(nameOf(text), symbols);
  },
};

/** With options that only allow more than the default. */
const yaml: ConstantCall = {
  least: 1,
  most: 2,
  run: async ([text, options]) => {
    checkOptions(options, ["aliases", "permitted_classes"]);
    return loadYaml(nameOf(text), "YAML");
  },
};

const yamlFile: ConstantCall = {
  least: 1,
  most: 2,
  run: async ([path, options], { cwd }) => {
    checkOptions(options, ["aliases", "permitted_classes"]);
    const file = nameOf(path);
    return loadYaml(textOf(file, cwd), file);
  },
};

const urlEncode = ofText((text) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
);

/** As in the body of a form: a blank is a plus. */
function formEncode(kept: RegExp): ConstantCall {
  return ofText((text) =>
    Array.from(Buffer.from(text), (byte) => {
      const char = String.fromCharCode(byte);
      if (kept.test(char)) return char;
      return char === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    }).join(""),
  );
}

function digest(algorithm: string): ConstantCall {
  return ofText((text) => createHash(algorithm).update(text).digest("hex"));
}

function decoded(text: string): string {
  const bytes = Buffer.from(text, "base64");
  const result = bytes.toString("utf8");
  if (!Buffer.from(result).equals(bytes)) throw new Unsupported("the decoded bytes are not UTF-8");
  return result;
}

const working: ConstantCall = { least: 0, most: 0, run: async (_args, { cwd }) => resolve(cwd) };

/** By `CONSTANT.method`. */
const CONSTANT_CALLS: ReadonlyMap<string, ConstantCall> = new Map<string, ConstantCall>([
  [
    "ENV.[]",
    { least: 1, most: 1, run: async ([name], { environment }) => (await environment.get(nameOf(name))) ?? null },
  ],
  ["ENV.[]=", set],
  ["ENV.store", set],
  ["ENV.fetch", { least: 1, most: 2, block: true, run: fetch }],
  ["ENV.delete", { least: 1, most: 1, run: remove }],
  [
    "ENV.values_at",
    {
      least: 0,
      most: 100,
      run: (names, { environment }) =>
        Promise.all(names.map(async (name) => (await environment.get(nameOf(name))) ?? null)),
    },
  ],
  ["ENV.to_h", { least: 0, most: 0, run: (_args, { environment }) => allVariables(environment) }],
  ["ENV.each", { least: 0, most: 0, block: true, statement: true, run: eachVariable }],
  ["ENV.each_pair", { least: 0, most: 0, block: true, statement: true, run: eachVariable }],
  ["ENV.key?", has],
  ["ENV.has_key?", has],
  ["ENV.include?", has],
  ["ENV.member?", has],
  ["File.read", { least: 1, most: 2, run: readFile }],
  ["IO.read", { least: 1, most: 2, run: readFile }],
  ["File.readlines", { least: 1, most: 2, run: readLines }],
  ["File.exist?", { least: 1, most: 1, run: exists }],
  ["File.exists?", { least: 1, most: 1, run: exists }],
  ["File.file?", { least: 1, most: 1, run: isFile }],
  ["File.directory?", { least: 1, most: 1, run: isFolder }],
  ["File.join", { least: 1, most: 100, run: joinPath }],
  ["File.expand_path", { least: 1, most: 2, run: expandPath }],
  ["File.basename", { least: 1, most: 2, run: baseName }],
  ["File.dirname", { least: 1, most: 1, run: folderName }],
  ["File.extname", { least: 1, most: 1, run: extension }],
  ["Dir.pwd", working],
  ["Dir.getwd", working],
  ["Dir.exist?", { least: 1, most: 1, run: isFolder }],
  ["Dir.home", { least: 0, most: 0, run: async (_args, context) => expandPath(["~"], context) }],
  ["Dotenv.load", { least: 0, most: 20, statement: true, run: load(false) }],
  ["Dotenv.load!", { least: 0, most: 20, statement: true, run: load(true) }],
  ["JSON.parse", parse],
  ["JSON.generate", { least: 1, most: 1, run: async ([value]) => generateJson(value!) }],
  ["JSON.dump", { least: 1, most: 1, run: async ([value]) => generateJson(value!) }],
  ["JSON.pretty_generate", { least: 1, most: 1, run: async ([value]) => generateJson(value!, true) }],
  ["YAML.load", yaml],
  ["YAML.safe_load", yaml],
  ["YAML.load_file", yamlFile],
  ["YAML.safe_load_file", yamlFile],
  ["Hash.new", { least: 0, most: 0, run: async () => new RubyHash() }],
  ["Base64.strict_encode64", ofText((text) => Buffer.from(text).toString("base64"))],
  [
    "Base64.encode64",
    ofText((text) =>
      Buffer.from(text)
        .toString("base64")
        .replaceAll(/.{1,60}/g, "$&\n"),
    ),
  ],
  ["Base64.decode64", ofText(decoded)],
  ["Base64.strict_decode64", ofText(decoded)],
  ["Digest::MD5.hexdigest", digest("md5")],
  ["Digest::SHA1.hexdigest", digest("sha1")],
  ["Digest::SHA256.hexdigest", digest("sha256")],
  ["SecureRandom.hex", { least: 0, most: 1, run: randomHex }],
  ["SecureRandom.uuid", { least: 0, most: 0, run: async () => randomUUID() }],
  ["CGI.escape", formEncode(/[a-zA-Z0-9_.\-~]/)],
  ["URI.encode_www_form_component", formEncode(/[a-zA-Z0-9_.\-*]/)],
  ["ERB::Util.url_encode", urlEncode],
  ["ERB::Util.u", urlEncode],
  ["Shellwords.escape", ofText(shellEscape)],
  ["Socket.gethostname", { least: 0, most: 0, run: async () => hostname() }],
  ["Regexp.new", ofText((text) => regexpOf(text))],
  ["Regexp.escape", ofText(escapeForRegexp)],
]);

async function assign([name, value = null]: readonly RubyValue[], { environment }: CallContext): Promise<RubyValue> {
  const key = nameOf(name);
  if (key === "" || key.includes("=")) throw new Refused(`"${key}" cannot be a variable's name`);
  if (value !== null && typeof value !== "string")
    throw new Refused("a variable of ENV is a string or nil: write .to_s behind it", new RubyException("TypeError"));
  if (!environment.assign) throw new Refused("a variable cannot be set here: do it in deploy.yml or .env");
  environment.assign(key, value === null ? undefined : nameOf(value));
  return value;
}

async function remove([name]: readonly RubyValue[], context: CallContext): Promise<RubyValue> {
  const before = (await context.environment.get(nameOf(name))) ?? null;
  await assign([name!, null], context);
  return before;
}

async function allVariables(environment: Variables): Promise<RubyHash> {
  return new RubyHash(Object.entries(await commandEnvironment(environment)));
}

/** With the values from before: the block may set variables. */
async function eachVariable(_args: readonly RubyValue[], { environment, block }: CallContext): Promise<RubyValue> {
  if (!block) throw new Unsupported();
  for (const pair of (await allVariables(environment)).pairs()) await block.call(pair);
  return null;
}

async function fetch([name, fallback]: readonly RubyValue[], { environment, block }: CallContext): Promise<RubyValue> {
  const key = nameOf(name);
  const value = await environment.get(key);
  if (value !== undefined) return value;
  if (block) return block.call([key]);
  if (fallback !== undefined) return fallback;
  const exception = new RubyException("KeyError", `key not found: "${key}"`);
  throw new Refused(`${key} is not set (required by ENV.fetch)`, exception);
}

async function readLines([path, options]: readonly RubyValue[], { cwd }: CallContext): Promise<RubyValue> {
  checkOptions(options, ["chomp"]);
  return STRING.get("lines")!.run(textOf(nameOf(path), cwd), options === undefined ? [] : [options])!;
}

async function randomHex([bytes = 16n]: readonly RubyValue[]): Promise<RubyValue> {
  if (typeof bytes !== "bigint" || bytes < 1n || bytes > 1000n) throw new Unsupported();
  return randomBytes(Number(bytes)).toString("hex");
}

/** A variable that is set keeps its value; of several files, the first that has it wins. */
function load(required: boolean): ConstantCall["run"] {
  return async (given, { environment, note }) => {
    const files = given.length === 0 ? [".env"] : given.map(nameOf);
    // .env was loaded before any template.
    if (given.length === 0 && !environment.load) return null;
    for (const file of files) {
      if (!environment.load) throw new Refused("a file of variables cannot be loaded here: do it in deploy.yml");
      if (fileText(() => environment.load!(file))) continue;
      if (required) throw new Refused(`cannot read ${file}: no such file`, new RubyException("Errno::ENOENT"));
      if (given.length > 0) note(`there is no file ${file}, so Dotenv.load set nothing from it`);
    }
    return null;
  };
}
