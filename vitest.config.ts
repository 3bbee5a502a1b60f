import { defineConfig } from "vitest/config";

// Tests import `#src/…`, which is the compiled code in dist/: what is tested is what is shipped.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["interop", "model", "sim", "crash", "concurrency"].map((suite) => `test/${suite}/**`),
    // Half of the time goes by in child processes and servers: by default one core would wait.
    maxWorkers: "100%",
    // Far beyond what any test takes: only what hangs is to end there, also on a machine that others slow down.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ["default", ["json", { outputFile: ".cache/results/test.json" }]],
  },
});
