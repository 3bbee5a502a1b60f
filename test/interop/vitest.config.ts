import { defineConfig } from "vitest/config";

// One worker runs all files in turn and keeps their modules: the peers (a JVM among them) are started once.
export default defineConfig({
  test: {
    include: ["test/interop/**/*.test.ts"],
    globalSetup: ["test/interop/install.ts"],
    isolate: false,
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ["default", ["json", { outputFile: ".cache/results/interop.json" }]],
  },
});
