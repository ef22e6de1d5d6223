const MEBIBYTE = 1024 * 1024;
const FIRST_BYTES = 4096;

/** What a command printed, as far as it is kept: all of it, or its beginning and its end with a line that says what is missing. */
export class KeptOutput {
  private readonly limit: number;
  /** Its first half holds the beginning; where there is more than fits, the second is a ring with the end. */
  private buffer: Buffer = Buffer.alloc(0);
  private total = 0;

  /** @param limit bytes, an even number */
  constructor(limit: number = 16 * MEBIBYTE) {
    this.limit = limit;
  }

  /** Whether something is missing. */
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

  /** Where the ring is written next, and begins. */
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

/** At line ends, where there are some: half a line says little. */
function joined(head: string, tail: string, missing: number): string {
  const end = head.lastIndexOf("\n");
  const begin = tail.indexOf("\n");
  const first = end < 0 ? head : head.slice(0, end);
  const last = begin < 0 ? tail : tail.slice(begin + 1);
  return `${first}\n[… ${amount(missing)} of output left out here …]\n${last}`;
}

function amount(bytes: number): string {
  return bytes < MEBIBYTE ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / MEBIBYTE)} MiB`;
}
