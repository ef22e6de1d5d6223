import { InterruptedError, UsageError } from "../errors.ts";

/** Whom to ask. */
interface Person {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * As the original asks: `y` is a yes, `N` or nothing a no, anything else is asked again.
 * @throws InterruptedError
 * @throws UsageError at the end of input: what was requested is not done, and a script has to notice
 */
export async function confirm(question: string, { input, output, signal }: Person): Promise<boolean> {
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input, signal });
  const ask = () => void output.write(`${question} [y, N] (N) `);
  ask();
  try {
    for await (const line of lines) {
      const answer = line.trim();
      if (answer === "y") return true;
      if (answer === "N" || answer === "") return false;
      output.write("Your response must be one of: [y, N]. Please try again.\n");
      ask();
    }
    if (signal.aborted) throw new InterruptedError();
    output.write("\n");
    throw new UsageError("Aborted: standard input ended without an answer", {
      hint: "Run it in a terminal, or with -y, which confirms without a question.",
    });
  } finally {
    lines.close();
  }
}
