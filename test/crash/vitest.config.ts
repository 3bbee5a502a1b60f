import { defineConfig } from "vitest/config";

// Each file in a process of its own: the recorder replaces functions of node:fs.
export default defineConfig({
  test: {
    include: ["test/crash/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    reporters: ["default", ["json", { outputFile: ".cache/results/crash.json" }]],
  },
});
