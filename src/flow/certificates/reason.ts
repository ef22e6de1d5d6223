/**
 * The authority's reason in the newest of Traefik's log lines about certificates: the text after the last `acme: error:`,
 * or after `error=`. undefined if there is none.
 */
export function reasonIn(log: string): string | undefined {
  const line = log
    .split("\n")
    .filter((text) => text.includes("Unable to obtain ACME certificate"))
    .at(-1);
  if (line === undefined) return undefined;
  const plain = line
    .replaceAll(/\u001b\[\d*m/g, "")
    .replaceAll(/\\n/g, " ")
    .replaceAll('\\"', '"');
  const found = /acme: error: (.+?)(?:"? (?:ACME CA|acmeCA|domains|providerName|routerName)=|$)/.exec(plain)?.[1];
  const error = found ?? /error="?(.+?)"? (?:ACME CA|acmeCA|domains|providerName|routerName)=/.exec(plain)?.[1];
  return error?.trim();
}
