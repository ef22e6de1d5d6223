import { KnownSecrets } from "../../src/hosts/known-secrets.ts";

/** For hosts of tests in which there is nothing to mask. */
export const noSecrets = new KnownSecrets(() => []);
