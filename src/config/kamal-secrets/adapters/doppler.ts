import { type Adapter, objectIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";

/** `--from PROJECT/CONFIG`, not needed with a service token in DOPPLER_TOKEN. */
export const doppler: Adapter = {
  title: "Doppler",
  program: "doppler",
  needsAccount: false,
  async fetch(request, tool) {
    if (!(await tool.succeeds(["me", "--json"]))) await tool.signIn("login", ["login", "-y"]);
    const names = prefixed(request);
    const place = tool.environment["DOPPLER_TOKEN"]?.startsWith("dp.st") ? [] : projectAndConfig(names[0]);
    const words = ["secrets", "get", ...names.map((name) => name.split("/").at(-1)!), "--json", ...place];
    const items = objectIn(await reading(`${names.join(", ")} from Doppler`, tool.json("secrets get", words)));
    return new Map(Object.entries(items).map(([name, item]) => [name, textIn(objectIn(item)["computed"]) ?? ""]));
  },
};

function projectAndConfig(name = ""): string[] {
  const [project, config] = name.split("/");
  if (!project || !config) throw new SecretsCommandError("project and config are missing: write --from PROJECT/CONFIG");
  return ["-p", project, "-c", config];
}
