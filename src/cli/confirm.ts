import { InterruptedError, UsageError } from "../errors.ts";

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * Prompts as MRSK does: `y` confirms, `N` or an empty answer declines, any other answer is prompted for again.
 * @throws InterruptedError
 * @throws UsageError at the end of input: the command is not carried out, and a script must notice that
 */
export async function confirm(question: string, { input, output, signal }: Terminal): Promise<boolean> {
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input, signal });
  const prompt = () => void output.write(`${question} [y, N] (N) `);
  prompt();
  try {
    for await (const line of lines) {
      const answer = line.trim();
      if (answer === "y") return true;
      if (answer === "N" || answer === "") return false;
      output.write("Your response must be one of: [y, N]. Please try again.\n");
      prompt();
    }
    if (signal.aborted) throw new InterruptedError();
    output.write("\n");
    throw new UsageError("Aborted: standard input ended without an answer", {
      hint: "Run it in a terminal, or use -y to skip this prompt.",
    });
  } finally {
    lines.close();
  }
}
