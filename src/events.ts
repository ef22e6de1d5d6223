/** The events of a run. The flow emits them, and views print them. */
export type RunEvent =
  /** A part of the work begins: `Build and push app image...`. */
  | { readonly kind: "title"; readonly text: string }
  /** A message for the user, about one host or about the run. */
  | { readonly kind: "note"; readonly host?: string; readonly text: string }
  | { readonly kind: "warning"; readonly host?: string; readonly text: string }
  | {
      readonly kind: "step-start";
      readonly host: string;
      readonly script: string;
      readonly step: string;
      readonly command: string;
      /** Its output goes to the user's terminal while it runs. */
      readonly streamed?: true;
    }
  | {
      readonly kind: "step-end";
      readonly host: string;
      readonly script: string;
      readonly step: string;
      readonly status: number;
      readonly seconds: number;
    }
  | {
      readonly kind: "output";
      readonly host: string;
      readonly step: string;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
    }
  /** Output of a long local command, printed as it arrives: the image build. */
  | { readonly kind: "progress"; readonly host: string; readonly text: string }
  | { readonly kind: "finished"; readonly what: string; readonly seconds: number };

export type Report = (event: RunEvent) => void;
