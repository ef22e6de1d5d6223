/** `string` of RFC 4251: four bytes of length, then the bytes. */
export function sshString(value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads the fields of RFC 4251 in order. @throws RangeError when the bytes end too early */
export class WireReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString("utf8");
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.take(8).readBigUInt64BE();
  }

  /** The bytes read since `from`, an earlier `position`. */
  since(from: number): Buffer {
    return this.bytes.subarray(from, this.at);
  }

  get position(): number {
    return this.at;
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError("the bytes end too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** The type in a public key or certificate: its first field. */
export function keyType(blob: Buffer): string {
  return new WireReader(blob).string().toString("latin1");
}
