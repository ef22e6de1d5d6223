const MEBIBYTE = 1024 * 1024;
const FIRST_BYTES = 4096;

/** The output of a command: all of it, or its beginning and its end, with a line about the omitted part. */
export class KeptOutput {
  private readonly limit: number;
  /** The first half holds the beginning. If the output exceeds the limit, the second half is a ring buffer with the end. */
  private buffer: Buffer = Buffer.alloc(0);
  private total = 0;

  /** @param limit bytes, an even number */
  constructor(limit: number = 16 * MEBIBYTE) {
    this.limit = limit;
  }

  /** Whether a part of the output was omitted. */
  get cut(): boolean {
    return this.total > this.limit;
  }

  add(bytes: Buffer): void {
    const fits = Math.min(bytes.length, Math.max(0, this.limit - this.total));
    this.reserve(this.total + fits);
    bytes.copy(this.buffer, this.total, 0, fits);
    this.total += fits;
    if (fits < bytes.length) this.intoRing(bytes.subarray(fits));
  }

  private reserve(size: number): void {
    if (size <= this.buffer.length || this.buffer.length === this.limit) return;
    const larger = Buffer.allocUnsafe(Math.min(this.limit, Math.max(size, FIRST_BYTES, this.buffer.length * 2)));
    this.buffer.copy(larger);
    this.buffer = larger;
  }

  private get half(): number {
    return this.limit / 2;
  }

  /** The oldest byte of the ring, which the next byte overwrites. */
  private get ringStart(): number {
    return this.half + (this.total % this.half);
  }

  private intoRing(bytes: Buffer): void {
    const last = bytes.subarray(Math.max(0, bytes.length - this.half));
    this.total += bytes.length - last.length;
    const untilEnd = Math.min(last.length, this.limit - this.ringStart);
    last.copy(this.buffer, this.ringStart, 0, untilEnd);
    last.copy(this.buffer, this.half, untilEnd);
    this.total += last.length;
  }

  text(): string {
    if (!this.cut) return this.buffer.toString("utf8", 0, this.total);
    const head = this.buffer.subarray(0, this.half);
    const start = this.ringStart;
    const tail = Buffer.concat([this.buffer.subarray(start), this.buffer.subarray(this.half, start)]);
    return joined(head.toString(), tail.toString(), this.total - this.limit);
  }
}

/** Cuts at ends of lines, if there are any: half a line is of little use. */
function joined(head: string, tail: string, missing: number): string {
  const end = head.lastIndexOf("\n");
  const begin = tail.indexOf("\n");
  const first = end < 0 ? head : head.slice(0, end);
  const last = begin < 0 ? tail : tail.slice(begin + 1);
  return `${first}\n[… ${amount(missing)} of output omitted …]\n${last}`;
}

function amount(bytes: number): string {
  return bytes < MEBIBYTE ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / MEBIBYTE)} MiB`;
}
