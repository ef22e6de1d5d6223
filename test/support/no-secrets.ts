import { KnownSecrets } from "../../src/script/known-secrets.ts";

/** For hosts of tests in which there is nothing to mask. */
export const noSecrets = new KnownSecrets(() => []);
