import { type Adapter, prefixed } from "./adapter.ts";

/** The adapter `test`: the value of each name is the name reversed, with brackets for LPAREN and RPAREN. */
export const reversing: Adapter = {
  title: "Test",
  program: "",
  needsAccount: true,
  async fetch(request) {
    const reversed = (name: string) =>
      Array.from(name.replaceAll("LPAREN", "(").replaceAll("RPAREN", ")")).toReversed().join("");
    return new Map(prefixed(request).map((name) => [name, reversed(name)]));
  },
};
