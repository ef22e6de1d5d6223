/** Why Traefik's settings may keep it from routing to a container. */
export interface Admission {
  /** A certain reason: probes would never get an answer. */
  readonly refused: string | undefined;
  /** Possible reasons, printed if probes get no answer: one line each. */
  readonly hints: readonly string[];
}

/**
 * Reads Traefik's arguments and a container's labels as Traefik does.
 * @param args of Traefik's command line: `--providers.docker.exposedbydefault=false`
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
        : [
            `Traefik routes only to containers that match --providers.docker.constraints=${constraints}: check the role's labels`,
          ],
  };
}

function refusal(enable: string | undefined, exposed: string | undefined): string | undefined {
  if (enable !== undefined) {
    return isTrue(enable) ? undefined : `its label traefik.enable is ${enable}, so Traefik ignores it`;
  }
  if (exposed === undefined || isTrue(exposed)) return undefined;
  return `Traefik exposes nothing by default (providers.docker.exposedbydefault=${exposed}): give it the label traefik.enable: "true"`;
}

/** As Go parses a boolean. */
function isTrue(text: string): boolean {
  return /^(?:1|t|true)$/i.test(text);
}

function labelOf(labels: ReadonlyMap<string, string>, name: string): string | undefined {
  return [...labels].find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The value of a flag; `true` for a flag without a value. */
function argumentOf(args: readonly string[], name: string): string | undefined {
  const found = args.findLast((arg) => arg.toLowerCase().split("=", 1)[0] === `--${name}`);
  if (found === undefined) return undefined;
  return found.includes("=") ? found.slice(found.indexOf("=") + 1) : "true";
}
