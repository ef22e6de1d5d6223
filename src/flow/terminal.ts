import type { Readable } from "node:stream";

/** `nothing` is /dev/null and the like; `piped` a file, a pipe or a socket. */
interface StandardInput {
  readonly kind: "terminal" | "piped" | "nothing";
  /** One command may read it: nothing else of the program reads it then. */
  readonly open: () => Readable;
}

/** The user's streams, for the commands that pass the output of the user's own program through: `exec` and `logs`. */
export interface Terminal {
  readonly stdin: StandardInput;
  /** Bytes of the user's program, to the stream of the same name. */
  readonly write: (stream: "stdout" | "stderr", bytes: Uint8Array | string) => void;
  /** The start of each line of that name, coloured if colour is on: `HOST | `. */
  readonly prefix: (name: string) => string;
}
