import { parentPort, workerData } from "node:worker_threads";
import { instantiate, isTrap, type Job, runJob, type Wasm, type WasmModule } from "./codec.js";

/** What a worker answers to each job, in order. */
export type Answer =
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly memoryBytes: number }
  /** `trapped`: the WebAssembly instance is broken, and the worker with it. */
  | { readonly error: string; readonly trapped: boolean; readonly memoryBytes: number }
  /** The library couldn't be loaded, which says nothing of the job; another worker may have more luck. */
  | { readonly shortage: string; readonly memoryBytes: number };

let wasm: Promise<Wasm> | undefined;

parentPort?.on("message", async (job: Job) => {
  let library: Wasm;
  try {
    wasm ??= instantiate(workerData as WasmModule);
    library = await wasm;
  } catch (error) {
    parentPort?.postMessage({ shortage: String(error), memoryBytes: 0 } satisfies Answer);
    return;
  }
  try {
    const bytes = runJob(library, job);
    const answer: Answer = { bytes, memoryBytes: memoryOf(library) };
    // The job's bytes go back too, to be freed there: this thread hardly makes garbage, so it would keep many of them.
    parentPort?.postMessage(answer, [bytes.buffer, job.bytes.buffer]);
  } catch (error) {
    const answer: Answer = { error: String(error), trapped: isTrap(error), memoryBytes: memoryOf(library) };
    parentPort?.postMessage(answer);
  }
});

function memoryOf(library: Wasm): number {
  return library.wasmMemory().buffer.byteLength;
}
