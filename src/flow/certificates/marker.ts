import { lookup } from "node:dns/promises";
import { get } from "node:http";
import { MARKER_HEADER, markerPath } from "../../traefik/certificate-file.ts";

/** The port at which the authority requests its challenges. */
export const CHALLENGE_PORT = 80;

/** For the whole response of one request. */
const REQUEST_MILLISECONDS = 5000;

/** Why requests for a name do not reach the hosts of a role, as far as it can be seen from here. */
export interface Unreached {
  readonly name: string;
  /** What DNS answers here: addresses, or its error. */
  readonly dns: string;
  /** What answered instead. */
  readonly response: string;
}

/**
 * Requests the marker over HTTP as the authority will request its challenge, at each address of the name: it may choose any
 * of them. Leaves out addresses of a network that this machine has not, which is IPv6 in most cases.
 * @returns undefined if each response carries the marker
 */
export async function requestMarker(name: string, marker: string, port: number): Promise<Unreached | undefined> {
  const found = await addressesOf(name);
  if (typeof found === "string") return { name, dns: found, response: "nothing can be requested" };
  const responses = await Promise.all(found.map((address) => responseFrom({ address, port }, name, marker)));
  const reached = responses.filter((response) => response !== NO_NETWORK);
  const wrong = reached.find((response) => response !== undefined) ?? (reached.length === 0 ? NO_NETWORK : undefined);
  return wrong === undefined ? undefined : { name, dns: found.join(", "), response: wrong };
}

const NO_NETWORK = "this machine has no network to that address";

/** A text instead of addresses says why there is none. */
async function addressesOf(name: string): Promise<string[] | string> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOTFOUND" ? "no address" : `an error (${code})`;
  }
}

/** undefined: the response has the marker; otherwise a description of what came. */
function responseFrom(
  { address, port }: { readonly address: string; readonly port: number },
  name: string,
  marker: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = {
      host: address,
      port,
      path: markerPath(marker),
      headers: { host: name },
      agent: false,
      timeout: REQUEST_MILLISECONDS,
    };
    const request = get(options, (response) => {
      response.resume();
      const server = response.headers.server === undefined ? "" : ` from ${String(response.headers.server)}`;
      const marked = response.headers[MARKER_HEADER.toLowerCase()] === marker;
      resolve(marked ? undefined : `another server answers, with status ${response.statusCode}${server}`);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${REQUEST_MILLISECONDS / 1000} s`)));
    request.on("error", (error: NodeJS.ErrnoException) =>
      resolve(
        /^(?:ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT)$/.test(error.code ?? "") ? NO_NETWORK : error.message,
      ),
    );
  });
}
