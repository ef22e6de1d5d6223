import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "rolldown";
import { licences } from "./licences.ts";

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

/** commander requires child_process for executable subcommands. mrsk has none: loading it late saves a millisecond at start-up. */
const lazyChildProcess: Plugin = {
  name: "lazy-child-process",
  transform(code, id) {
    if (!id.includes("/commander/lib/command.js")) return null;
    return code
      .replace("const childProcess = require('node:child_process');", "")
      .replaceAll("childProcess.", "require('node:child_process').");
  },
};

/** @ruby/prism reads its parser from the folder of the module, which is `dist` in the bundle. */
const prismWasm: Plugin = {
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
