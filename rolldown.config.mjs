import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { defineConfig } from "rolldown";
import { licences } from "./build/licences.mjs";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));

/** commander requires child_process for executable subcommands, which mrsk has none of; loading it late saves a start-up millisecond. */
const lazyChildProcess = {
  name: "lazy-child-process",
  transform(code, id) {
    if (!id.includes("/commander/lib/command.js")) return null;
    return code
      .replace("const childProcess = require('node:child_process');", "")
      .replaceAll("childProcess.", "require('node:child_process').");
  },
};

/** @ruby/prism reads its parser from a file beside itself, so it has to travel with the bundle. */
const prismWasm = {
  name: "prism-wasm",
  writeBundle() {
    mkdirSync("dist", { recursive: true });
    copyFileSync("node_modules/@ruby/prism/src/prism.wasm", "dist/prism.wasm");
  },
};

export default defineConfig({
  input: { cli: "src/cli/main.ts" },
  platform: "node",
  moduleTypes: { ".sh": "text" },
  external: ["cpu-features", /sshcrypto\.node$/],
  transform: { define: { __MRSK_VERSION__: JSON.stringify(version) } },
  plugins: [lazyChildProcess, prismWasm, licences],
  output: {
    dir: "dist",
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    minify: { mangle: { keepNames: { class: true, function: false } } },
    cleanDir: true,
  },
});
