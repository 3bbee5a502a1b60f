import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/sim/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    reporters: ["default", ["json", { outputFile: ".cache/results/sim.json" }]],
  },
});
