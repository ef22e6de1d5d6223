import { connect } from "node:net";
import { sshString, WireReader } from "../wire.ts";

/** Time limit for the list of keys. A signature has none: the user may have to confirm it. */
const LIST_MILLISECONDS = 10_000;

const LIST = 11;
const LISTED = 12;
const SIGN = 13;
const SIGNED = 14;

/** A signature with SHA-2 instead of SHA-1, for RSA keys. */
export const RSA_FLAGS: Readonly<Record<string, number>> = { sha256: 2, sha512: 4 };

/**
 * An SSH agent. ssh2's own client drops the keys that it cannot parse (certificates, security keys), and truncates their
 * signatures.
 */
export class Agent {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The public keys and certificates that the agent holds, in its order. */
  async keys(): Promise<Buffer[]> {
    const answer = await this.request(LISTED, Buffer.from([LIST]), LIST_MILLISECONDS);
    return Array.from({ length: answer.uint32() }, () => {
      const blob = answer.string();
      answer.string(); // the comment
      return blob;
    });
  }

  /** The signature in the format of RFC 4253: its algorithm, then its bytes. @throws Error when the agent refuses */
  async sign(key: Buffer, data: Buffer, flags: number): Promise<Buffer> {
    const flagBytes = Buffer.alloc(4);
    flagBytes.writeUInt32BE(flags);
    const request = Buffer.concat([Buffer.from([SIGN]), sshString(key), sshString(data), flagBytes]);
    return (await this.request(SIGNED, request)).string();
  }

  private request(wanted: number, message: Buffer, milliseconds = 0): Promise<WireReader> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect(this.path);
      socket.setTimeout(milliseconds, () => socket.destroy());
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`the agent at ${this.path} did not answer`)));
      socket.on("data", (chunk) => {
        chunks.push(chunk);
        const received = Buffer.concat(chunks);
        if (received.length < 4 || received.length < 4 + received.readUInt32BE()) return;
        socket.destroy();
        if (received[4] === wanted) resolve(new WireReader(received.subarray(5)));
        else reject(new Error(`the agent at ${this.path} refused`));
      });
      socket.write(sshString(message));
    });
  }
}
