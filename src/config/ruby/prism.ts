import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ParseResult } from "@ruby/prism/src/deserialize.js";

export type RubyNode = ParseResult["value"]["statements"]["body"][number];
/** Returns undefined if the program is nested too deeply for the parser. */
export type ParseRuby = (source: string) => ParseResult | undefined;

/** The parts that are used here. TypeScript has the types of WebAssembly only among those of browsers. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: Record<string, unknown> }>;
  readonly Module: { imports(module: object): readonly { readonly module: string; readonly name: string }[] };
};

let loading: Promise<ParseRuby> | undefined;

/** Ruby's own parser. Loading it takes a dozen milliseconds. */
export function loadPrism(): Promise<ParseRuby> {
  loading ??= load();
  return loading;
}

/** A program that is nested too deeply crashes the parser's WebAssembly instance: the next program needs another. */
async function load(): Promise<ParseRuby> {
  const [{ parsePrism }, wasm] = await Promise.all([import("@ruby/prism/src/parsePrism.js"), parserBytes()]);
  const module = await WebAssembly.compile(wasm);
  // The parser imports WASI, but calls none of its functions while it parses a text in memory. The package's own loader
  // uses Node's WASI, which prints a warning that it is experimental.
  const imports: Record<string, Record<string, () => number>> = {};
  const NOT_SUPPORTED = 58;
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => NOT_SUPPORTED;
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  (exports["_initialize"] as () => void)();
  return (source) => {
    try {
      return parsePrism(exports, source);
    } catch {
      loading = undefined;
      return undefined;
    }
  };
}

/** From the folder of the bundled program, otherwise from the package. */
async function parserBytes(): Promise<Uint8Array> {
  try {
    return await readFile(join(dirname(fileURLToPath(import.meta.url)), "prism.wasm"));
  } catch {
    return await readFile(createRequire(import.meta.url).resolve("@ruby/prism/src/prism.wasm"));
  }
}
