/** What keeps a container from being routed by Traefik's own settings. */
export interface Admission {
  /** Certain: the preview would never answer. */
  readonly refused: string | undefined;
  /** What to look at when it does not answer: a line each. */
  readonly hints: readonly string[];
}

/**
 * Reads Traefik's arguments and a container's labels as Traefik does.
 * @param args as it was started with: `--providers.docker.exposedbydefault=false`
 */
export function admission(args: readonly string[], labels: ReadonlyMap<string, string>): Admission {
  const enable = labelOf(labels, "traefik.enable");
  const exposed = argumentOf(args, "providers.docker.exposedbydefault");
  const constraints = argumentOf(args, "providers.docker.constraints");
  return {
    refused: refusal(enable, exposed),
    hints:
      constraints === undefined
        ? []
        : [`Traefik admits only what matches --providers.docker.constraints=${constraints}: do the role's labels?`],
  };
}

function refusal(enable: string | undefined, exposed: string | undefined): string | undefined {
  if (enable !== undefined) {
    return isTrue(enable) ? undefined : `its label traefik.enable is ${enable}, so Traefik leaves it out`;
  }
  if (exposed === undefined || isTrue(exposed)) return undefined;
  return `Traefik exposes nothing by default (providers.docker.exposedbydefault=${exposed}): give it the label traefik.enable: "true"`;
}

/** As Go reads a boolean. */
function isTrue(text: string): boolean {
  return /^(?:1|t|true)$/i.test(text);
}

function labelOf(labels: ReadonlyMap<string, string>, name: string): string | undefined {
  return [...labels].find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The value of a flag; a bare one is true. */
function argumentOf(args: readonly string[], name: string): string | undefined {
  const found = args.findLast((arg) => arg.toLowerCase().split("=", 1)[0] === `--${name}`);
  if (found === undefined) return undefined;
  return found.includes("=") ? found.slice(found.indexOf("=") + 1) : "true";
}
