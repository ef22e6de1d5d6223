import { BaseAgent, type ParsedKey, utils } from "ssh2";
import { type Agent, RSA_FLAGS } from "./agent.ts";
import { plainType } from "../host-keys/certificates.ts";
import { keyType, sshString } from "../wire.ts";

/** A public key or certificate, and its signer. */
export interface Identity {
  readonly blob: Buffer;
  /** @param hash `sha256`, `sha512` or `sha1` for RSA @returns the algorithm and the bytes, in the format of RFC 4253 */
  readonly sign: (data: Buffer, hash: string | undefined) => Promise<Buffer>;
}

/** @param holds the key that the agent holds: `blob` itself, or the key of the certificate */
export function ofAgent(agent: Agent, blob: Buffer, holds: Buffer = blob): Identity {
  return { blob, sign: (data, hash) => agent.sign(holds, data, hash === undefined ? 0 : (RSA_FLAGS[hash] ?? 0)) };
}

export function ofKey(key: ParsedKey, blob: Buffer): Identity {
  return {
    blob,
    sign: async (data, hash) => {
      const algorithm = key.type === "ssh-rsa" && hash !== "sha1" ? `rsa-sha2-${hash?.slice(3)}` : key.type;
      const bytes = key.sign(data, hash);
      if (bytes instanceof Error) throw bytes;
      return Buffer.concat([sshString(algorithm), sshString(plainSignature(key.type, bytes))]);
    },
  };
}

/** Node's ECDSA signature is ASN.1; SSH has two numbers. */
function plainSignature(type: string, signature: Buffer): Buffer {
  if (!type.startsWith("ecdsa-")) return signature;
  const first = signature[1]! < 128 ? 2 : 3;
  const second = first + 2 + signature[first + 1]!;
  const number = (at: number) => signature.subarray(at + 2, at + 2 + signature[at + 1]!);
  return Buffer.concat([sshString(number(first)), sshString(number(second))]);
}

/** Prototype of the keys that `Identities` passes to ssh2, which accepts only objects derived from its own keys. */
const KEY_PROTOTYPE = utils.parseKey(
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwJ4pV8hEUnW1UGBuGvVVEjdVJPi2MuoMUa7RmmiTFb",
) as ParsedKey;

const identities = new WeakMap<object, Identity>();

/** The identity of a key that `Identities` passed to ssh2. */
export function identityOf(key: object): Identity | undefined {
  return identities.get(key);
}

/** The algorithm name that is offered to the server: RSA certificates sign with SHA-2. */
function offeredAs(blob: Buffer): string {
  const type = keyType(blob);
  return type === "ssh-rsa-cert-v01@openssh.com" ? "rsa-sha2-512-cert-v01@openssh.com" : type;
}

/** Identities as an agent: the only way to give ssh2 other signers. */
export class Identities extends BaseAgent {
  private readonly list: readonly Identity[];

  constructor(list: readonly Identity[]) {
    super();
    this.list = list;
  }

  override getIdentities(callback: Parameters<BaseAgent["getIdentities"]>[0]): void {
    const keys = this.list.map((identity) => {
      const key = Object.create(KEY_PROTOTYPE, {
        type: { value: offeredAs(identity.blob) },
        getPublicSSH: { value: () => identity.blob },
      }) as ParsedKey;
      identities.set(key, identity);
      return key;
    });
    callback(undefined, keys);
  }

  override sign(...args: unknown[]): void {
    const [key, data, options, callback] = args as [object, Buffer, { hash?: string }, Signed];
    const identity = identityOf(key)!;
    const hash = plainType(keyType(identity.blob)) === "ssh-rsa" ? (options.hash ?? "sha512") : undefined;
    void signed(identity, data, hash, callback);
  }
}

type Signed = (error: Error | undefined, signature?: Buffer) => void;

async function signed(identity: Identity, data: Buffer, hash: string | undefined, done: Signed): Promise<void> {
  let signature: Buffer;
  try {
    signature = await identity.sign(data, hash);
  } catch (error) {
    done(error as Error);
    return;
  }
  done(undefined, signature);
}
