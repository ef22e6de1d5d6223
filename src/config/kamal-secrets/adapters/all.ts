import { didYouMean, similarNames } from "../../../spelling.ts";
import { SecretsCommandError } from "../secrets-command-error.ts";
import type { Adapter } from "./adapter.ts";
import { awsSecretsManager } from "./aws-secrets-manager.ts";
import { bitwarden } from "./bitwarden.ts";
import { bitwardenSecretsManager } from "./bitwarden-secrets-manager.ts";
import { doppler } from "./doppler.ts";
import { enpass } from "./enpass.ts";
import { gcpSecretManager } from "./gcp-secret-manager.ts";
import { lastPass } from "./last-pass.ts";
import { onePassword } from "./one-password.ts";
import { passbolt } from "./passbolt.ts";
import { reversing } from "./reversing.ts";

/** Kamal's adapters by their names. */
const ADAPTERS: Readonly<Record<string, Adapter>> = {
  "1password": onePassword,
  one_password: onePassword,
  lastpass: lastPass,
  last_pass: lastPass,
  bitwarden,
  "bitwarden-sm": bitwardenSecretsManager,
  bitwarden_secrets_manager: bitwardenSecretsManager,
  aws_secrets_manager: awsSecretsManager,
  gcp: gcpSecretManager,
  gcp_secret_manager: gcpSecretManager,
  doppler,
  enpass,
  passbolt,
  test: reversing,
};

/** @throws SecretsCommandError with the names that exist */
export function findAdapter(name: string): Adapter {
  const names = Object.keys(ADAPTERS);
  const wanted = name.toLowerCase();
  if (names.includes(wanted)) return ADAPTERS[wanted]!;
  const advice = didYouMean(similarNames(name, names)) ?? `The adapters are ${names.join(", ")}.`;
  throw new SecretsCommandError(`there is no secrets adapter ${name}. ${advice}`);
}
