import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/e2e/soak.ts"], testTimeout: 6 * 3_600_000, hookTimeout: 300_000, silent: false },
});
