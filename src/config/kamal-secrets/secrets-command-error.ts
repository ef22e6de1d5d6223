/** A `kamal secrets` command failed. The message contains no secret. */
export class SecretsCommandError extends Error {}
