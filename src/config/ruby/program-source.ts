import { charactersOf } from "./offsets.ts";
import type { RubyNode } from "./prism.ts";
import { Refused, type RubyException, Unsupported } from "./ruby-values.ts";

/** A mistake at a node. */
export class Failure extends Error {
  readonly node: RubyNode;
  /** Whether Ruby itself may accept the node. */
  readonly unsupported: boolean;
  /** What a `rescue` gets; undefined if no `rescue` may hide the mistake. */
  readonly exception: RubyException | undefined;

  constructor(node: RubyNode, message: string, cause?: unknown) {
    super(message, { cause });
    this.node = node;
    this.unsupported = cause instanceof Unsupported;
    this.exception = cause instanceof Refused ? cause.exception : undefined;
  }
}

/** A node, or an error of the parser. Its location counts bytes. */
interface Located {
  readonly location: { readonly startOffset: number; readonly length: number };
}

/** The text of a program, by node. */
export class ProgramSource {
  private readonly text: string;
  private readonly characters: (byteOffset: number) => number;
  private readonly excerptOf: (from: number, to: number) => string;

  /** @param excerptOf the text in the template of a part of the program, on one line */
  constructor(text: string, excerptOf: (from: number, to: number) => string) {
    this.text = text;
    this.characters = charactersOf(text);
    this.excerptOf = excerptOf;
  }

  /** Where the node begins, in characters. */
  offset({ location }: Located): number {
    return this.characters(location.startOffset);
  }

  /** The node as the user wrote it, shortened for a message. */
  excerpt(node: Located): string {
    return this.excerptOf(...this.range(node));
  }

  written(node: Located): string {
    return this.text.slice(...this.range(node));
  }

  unsupported(node: RubyNode): Failure {
    return new Failure(node, `\`${this.excerpt(node)}\` is not in the supported part of Ruby`, new Unsupported());
  }

  private range({ location }: Located): [number, number] {
    const { startOffset, length } = location;
    return [this.characters(startOffset), this.characters(startOffset + length)];
  }
}
