import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The end-to-end files that take minutes: begun last, one of them would keep all other workers waiting. */
const LONG = ["cutover", "fleet", "canary", "keys", "facts", "fleet-machine", "story", "interop", "traefik-killed"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(`/e2e/${name}.test.ts`));
      return place < 0 ? LONG.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** As `moduleTypes` of bin/bundle/rolldown.config.ts does it. */
const shellAsText = {
  name: "shell-as-text",
  transform: (code: string, id: string) => (id.endsWith(".sh") ? `export default ${JSON.stringify(code)}` : undefined),
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/temporary.ts"],
    projects: [
      {
        plugins: [shellAsText],
        test: {
          name: "unit",
          setupFiles: ["test/support/properties.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/lab/**"],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        plugins: [shellAsText],
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
