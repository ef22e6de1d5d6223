import { type Adapter, type JsonObject, objectIn, objectsIn, prefixed, reading, textIn } from "./adapter.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";

/** The account is a profile. A secret that is a JSON object yields one value for each key: `NAME/KEY`. */
export const awsSecretsManager: Adapter = {
  title: "AWS",
  program: "aws",
  needsAccount: false,
  async fetch(request, tool) {
    const names = prefixed(request);
    const profile = request.account === undefined ? [] : ["--profile", request.account];
    const words = ["secretsmanager", "batch-get-secret-value", "--secret-id-list", ...names, ...profile];
    const call = tool.json("secretsmanager batch-get-secret-value", [...words, "--output", "json"]);
    const answer = objectIn(await reading(`${names.join(", ")} from AWS Secrets Manager`, call));
    const errors = objectsIn(answer["Errors"]).map(
      (error) => `${textIn(error["SecretId"]) ?? ""}: ${textIn(error["Message"]) ?? ""}`,
    );
    if (errors.length > 0)
      throw new SecretsCommandError(`could not read from AWS Secrets Manager: ${errors.join("; ")}`);
    return new Map(objectsIn(answer["SecretValues"]).flatMap(valuesOf));
  },
};

function valuesOf(secret: JsonObject): [string, string][] {
  const name = textIn(secret["Name"]) ?? "";
  const written = textIn(secret["SecretString"]) ?? "";
  const value = parsed(written);
  if (value === undefined) return [[name, written]];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[name, asText(value)]];
  return Object.entries(value).map(([key, one]) => [`${name}/${key}`, asText(one)]);
}

/** undefined if the text is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function asText(value: unknown): string {
  return textIn(value) ?? JSON.stringify(value);
}
