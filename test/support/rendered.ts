import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Program, programVariable, wordsOf } from "../../src/script/call.ts";
import { type Body, render } from "../../src/script/command.ts";
import { SECOND_PORTS } from "../../src/traefik/replace.ts";
import { Captured, type Script } from "../../src/script/script.ts";

/** The folder in which `bin/test` checks each piece of shell that the tests render with shellcheck. */
const FOLDER = process.env["MRSK_RENDERED"];

// Each piece is a separate script that assigns the variables it reads.
const HEADER = `# shellcheck shell=sh
# shellcheck disable=SC2016 # Go templates, and commands for a shell in a container, contain $
# shellcheck disable=SC2034 # a piece does not read all variables
`;

/** The warnings of shellcheck that a piece may cause. */
const ALLOWED: readonly (readonly [piece: string, line: string])[] = [
  [SECOND_PORTS.text, "# shellcheck disable=SC2086 # the flags of the ports, a word each\n"],
  ["docker rm -f $mine", "# shellcheck disable=SC2086 # ids, a word each\n"],
  ["git rev-parse --local-env-vars", "# shellcheck disable=SC2046 # names of variables, a word each\n"],
  ["${HOSTNAME", "# shellcheck disable=SC3028 # a variable that deploy.yml names: the shell may have none\n"],
  ["echo --log-opt", "# shellcheck disable=SC2046 # a flag and its value, or nothing\n"],
];

export function keepRendered({ title, steps, cleanup }: Script): void {
  if (FOLDER === undefined) return;
  for (const { name, body } of steps) keep(FOLDER, `${title} > ${name}`, body);
  if (cleanup) keep(FOLDER, `${title} > clean up`, cleanup);
}

function keep(folder: string, title: string, body: Body): void {
  const given = wordsOf(body).flatMap((word) =>
    word instanceof Captured ? [word.variable] : word instanceof Program ? [programVariable(word.name)] : [],
  );
  const text = render(body, () => '"$secret"');
  const file = join(folder, `${createHash("sha256").update(text).digest("hex").slice(0, 16)}.sh`);
  if (existsSync(file)) return;
  const read = Array.from(text.matchAll(/"\$(out_\w+|_ok)"/g), ([, variable]) => variable!);
  const allowed = ALLOWED.filter(([piece]) => text.includes(piece)).map(([, line]) => line);
  const assignments = [...new Set([...given, ...read, "secret"])].map((variable) => `${variable}=given`).join("\n");
  writeFileSync(file, `${HEADER}${allowed.join("")}# ${title.replaceAll("\n", " ")}\n${assignments}\n${text}\n`);
}
