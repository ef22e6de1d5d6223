import { type Adapter, accountOf, objectIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";
import type { VendorTool } from "../vendor-tool.ts";

/**
 * The account is `default` or an e-mail address, optionally with `|SERVICE_ACCOUNT[,…]` to impersonate. A name is
 * `[PROJECT/]SECRET[/VERSION]`.
 */
export const gcpSecretManager: Adapter = {
  title: "gcloud",
  program: "gcloud",
  needsAccount: true,
  async fetch(request, tool) {
    if (!(await loggedIn(tool))) {
      await tool.signIn("auth login", ["auth", "login"]);
      if (!(await loggedIn(tool))) throw new SecretsCommandError("could not log in to gcloud");
    }
    const [user = "", ...impersonated] = accountOf(request).split("|");
    const found = new Map<string, string>();
    for (const name of prefixed(request)) {
      const parts = name.split("/");
      const [project = "", secret = "", version = "latest"] = parts.length === 1 ? ["default", ...parts] : parts;
      const words = ["secrets", "versions", "access", version, `--secret=${secret}`];
      if (project !== "default") words.push(`--project=${project}`);
      if (user !== "default") words.push(`--account=${user}`);
      if (impersonated.length > 0) words.push(`--impersonate-service-account=${impersonated.join("|")}`);
      const call = tool.json("secrets versions access", [...words, "--format=json"]);
      const answer = objectIn(await reading(`${project}/${secret} from Google Secret Manager`, call));
      const data = textIn(objectIn(answer["payload"])["data"]);
      if (data === undefined)
        throw new SecretsCommandError(`${project}/${secret} in Google Secret Manager has no data`);
      found.set(`${project}/${secret}`, decoded(data));
    }
    return found;
  },
};

async function loggedIn(tool: VendorTool): Promise<boolean> {
  const accounts = await tool.json("auth list", ["auth", "list", "--format=json"]);
  return Array.isArray(accounts) && accounts.length > 0;
}

/** Both alphabets of base64: gcloud prints the one for URLs. */
function decoded(data: string): string {
  return Buffer.from(data, "base64").toString("utf8");
}
