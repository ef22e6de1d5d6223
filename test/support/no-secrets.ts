import { KnownSecrets } from "../../src/script/known-secrets.ts";

/** For hosts of tests without secrets. */
export const noSecrets = new KnownSecrets(() => []);
