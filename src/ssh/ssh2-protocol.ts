import type { Client } from "ssh2";
import constants from "ssh2/lib/protocol/constants.js";
import { type Certificate, plainType } from "./host-keys/certificates.ts";
import { identityOf } from "./login/identities.ts";
import { sshString, WireReader } from "./wire.ts";

/** Private members of ssh2 1.17. The tests against OpenSSH's server show whether another version still has them. */
interface Internals {
  readonly _protocol: Protocol;
}

interface Protocol {
  authPK(user: string, key: object, algorithm: string | undefined, sign?: Signing): void;
  readonly _kex: Exchange;
  readonly _kexinit: unknown;
  /** Undefined after the connection is closed. */
  readonly _destruct: unknown;
  readonly _authsQueue: string[];
  _queue: Buffer[] | undefined;
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _packetRW: {
    readonly write: { readonly allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer };
  };
}

interface Exchange {
  readonly sessionID: Buffer;
  readonly negotiated: { serverHostKey: string };
  readonly _sig: Buffer;
}

type Signing = (data: Buffer, done: (signature: Buffer) => void) => void;

const USERAUTH_REQUEST = 50;

export const HOST_CERTIFICATE_TYPES: readonly string[] = [
  "ssh-ed25519-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "ecdsa-sha2-nistp384-cert-v01@openssh.com",
  "ecdsa-sha2-nistp521-cert-v01@openssh.com",
  "rsa-sha2-512-cert-v01@openssh.com",
  "rsa-sha2-256-cert-v01@openssh.com",
];
const RSA_CERTIFICATE = "ssh-rsa-cert-v01@openssh.com";
for (const type of HOST_CERTIFICATE_TYPES) constants.SUPPORTED_SERVER_HOST_KEY.push(type);

/**
 * Lets a client log in with `Identities`. ssh2 names a signature after the algorithm that it offered; a certificate's
 * signature must have the name of its plain key.
 */
export function useIdentities(client: Client): void {
  const protocol = (client as unknown as Internals)._protocol;
  const authPK = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, sign) => {
    const identity = identityOf(key);
    if (!identity || !sign) return authPK(user, key, algorithm, sign);
    const request = Buffer.concat([
      Buffer.from([USERAUTH_REQUEST]),
      ...[user, "ssh-connection", "publickey"].map(sshString),
      Buffer.from([1]),
      sshString(algorithm ?? (key as { type: string }).type),
      sshString(identity.blob),
    ]);
    sign(Buffer.concat([sshString(protocol._kex.sessionID), request]), (signature) => {
      protocol._authsQueue.push("publickey");
      send(protocol, Buffer.concat([request, sshString(signature)]));
    });
  };
}

function send(protocol: Protocol, payload: Buffer): void {
  if (protocol._destruct === undefined) return;
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  const finished = write.finalize(packet);
  // During a key exchange: ssh2 sends the queue afterwards.
  if (protocol._kexinit !== undefined) (protocol._queue ??= []).push(finished);
  else protocol._cipher.encrypt(finished);
}

/** Makes ssh2 accept an RSA certificate, whose type is not the name of the negotiated algorithm. */
export function expectCertificates(client: Client): void {
  const protocol = (client as unknown as Internals)._protocol;
  let current: Exchange | undefined;
  Object.defineProperty(protocol, "_kex", {
    get: () => current,
    set: (exchange: Exchange) => {
      current = exchange;
      const { negotiated } = exchange;
      if (/^rsa-sha2-.*-cert-/.test(negotiated.serverHostKey)) negotiated.serverHostKey = RSA_CERTIFICATE;
    },
  });
}

/**
 * Makes ssh2 verify the server's signature with the key of a certificate. Called from the host verifier, for a valid
 * certificate: the exchange hash contains the certificate, and the signature is by its plain key.
 */
export function verifyWithCertifiedKey(client: Client, certificate: Certificate): void {
  const exchange = (client as unknown as Internals)._protocol._kex;
  const signature = new WireReader(exchange._sig).text();
  const safeRsa = certificate.type === RSA_CERTIFICATE && /^rsa-sha2-(?:256|512)$/.test(signature);
  // ssh2 refuses a signature with any other name.
  exchange.negotiated.serverHostKey = safeRsa ? signature : plainType(certificate.type);
  let reads = 0;
  Object.defineProperty(exchange, "_hostKey", {
    get: () => (reads++ === 0 ? certificate.blob : certificate.key),
    set: () => {}, // ssh2 clears it after the exchange
  });
}
