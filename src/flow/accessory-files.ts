import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Accessory, AccessoryFile } from "../config/config.ts";
import { renderErb } from "../config/ruby/erb.ts";
import { withVariables } from "../config/env/variables.ts";
import { decode } from "../config/text-file.ts";
import { Secret } from "../config/env/secret.ts";
import { writtenAt } from "../config/yaml/written-at.ts";
import type { AccessoryCommands } from "../commands/accessory.ts";
import { ConfigError } from "../errors.ts";
import { type Step, step } from "../script/script.ts";
import type { Run } from "./run.ts";

/** @throws ConfigError naming every path that does not exist */
export function checkFiles({ cwd }: Run, accessories: readonly Accessory[]): void {
  const problems = accessories.flatMap(({ name, files }) =>
    files
      .filter(({ local }) => !statSync(resolve(cwd, local), { throwIfNoEntry: false }))
      .map((file) => `${writtenAt(file, `accessories/${name}/files`)}: there is no file ${file.local}`),
  );
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Renders files whose names end in `erb` first, with the accessory's clear variables in `ENV`. */
export async function uploadSteps(run: Run, commands: AccessoryCommands, accessory: Accessory): Promise<Step[]> {
  const steps = accessory.files.map(async (file) => {
    if (statSync(resolve(run.cwd, file.local)).isDirectory()) return folderSteps(run.cwd, commands, file);
    return [upload(commands, file, await contentOf(run, accessory, file.local))];
  });
  return (await Promise.all(steps)).flat();
}

async function contentOf(run: Run, { env }: Accessory, local: string): Promise<Buffer> {
  const content = readFileSync(resolve(run.cwd, local));
  if (!local.endsWith("erb")) return content;
  const environment = withVariables(env.clear, run.variables);
  const note = (text: string) => run.report({ kind: "note", text });
  return Buffer.from(await renderErb(decode(content, local), { file: local, environment, cwd: run.cwd, note }));
}

/** The mode is that of the folder. Its files keep theirs, and are not rendered, as in Kamal 2. */
function folderSteps(cwd: string, commands: AccessoryCommands, { local, remote, mode, owner }: AccessoryFile): Step[] {
  const root = resolve(cwd, local);
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted();
  const files = names
    .map((name) => ({ name, found: statSync(join(root, name)) }))
    .filter(({ found }) => found.isFile());
  return [
    step(`Create ${local}`, commands.createFolder(remote, mode, owner)),
    ...files.map(({ name, found }) => {
      const file = { local: join(local, name), remote: join(remote, name), mode: octal(found.mode), owner };
      return upload(commands, file, readFileSync(join(root, name)));
    }),
  ];
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}

function upload(commands: AccessoryCommands, { local, remote, mode, owner }: AccessoryFile, content: Buffer): Step {
  return step(`Upload ${local}`, commands.upload(remote, mode, new Secret(local, content.toString("base64")), owner));
}
