import { REDACTED, Secret } from "../env/secret.ts";

/** Shorter values occur by chance. */
const LEAST_CHARACTERS = 4;

/** The secrets that were read so far: values of files, and all that a password manager has returned. */
export class SeenSecrets {
  private readonly values = new Map<string, Secret>();

  add(name: string, value: string): void {
    if (value.length >= LEAST_CHARACTERS && !this.values.has(value)) this.values.set(value, new Secret(name, value));
  }

  get all(): readonly Secret[] {
    return [...this.values.values()];
  }

  /** The text with every secret replaced, the longest first. @param more further values to replace */
  mask(text: string, more: readonly string[] = []): string {
    const values = [...this.values.keys(), ...more.filter(({ length }) => length >= LEAST_CHARACTERS)];
    return values
      .toSorted((a, b) => b.length - a.length)
      .reduce((masked, value) => masked.replaceAll(value, REDACTED), text);
  }
}
