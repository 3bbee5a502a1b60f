import { defineConfig } from "vitest/config";

// A test is a run of TLC, in a process of its own: two at a time.
export default defineConfig({
  test: {
    include: ["test/model/**/*.test.ts"],
    fileParallelism: false,
    maxConcurrency: 2,
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    reporters: ["default", ["json", { outputFile: ".cache/results/model.json" }]],
  },
});
