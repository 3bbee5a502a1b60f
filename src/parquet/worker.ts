import { parentPort, workerData } from "node:worker_threads";
import { type Done, instantiate, isTrap, type Job, runJob, type Wasm, type WasmModule } from "./codec.js";
import { NotRead, readRanges } from "./storedRanges.js";

/** What a worker answers to each job, in order. */
export type Answer =
  | { readonly done: Done; readonly memoryBytes: number }
  /** `trapped`: the WebAssembly instance is broken, and the worker with it. */
  | { readonly error: string; readonly trapped: boolean; readonly memoryBytes: number }
  /** What the job names can't be read here. */
  | { readonly notRead: string; readonly memoryBytes: number }
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
    const done = runJob(library, withStored(job));
    const answer: Answer = { done, memoryBytes: memoryOf(library) };
    // The job's bytes go back too, to be freed there: this thread hardly makes garbage, so it would keep many of them.
    const { buffer } = done instanceof Uint8Array ? done : done.bytes;
    parentPort?.postMessage(answer, [buffer, job.bytes.buffer]);
  } catch (error) {
    const memoryBytes = memoryOf(library);
    const answer: Answer =
      error instanceof NotRead
        ? { notRead: error.message, memoryBytes }
        : { error: String(error), trapped: isTrap(error), memoryBytes };
    parentPort?.postMessage(answer);
  }
});

function withStored(job: Job): Job {
  if (job.kind !== "decode" || job.stored === undefined) return job;
  return { ...job, bytes: readRanges(job.stored, job.bytes) };
}

function memoryOf(library: Wasm): number {
  return library.wasmMemory().buffer.byteLength;
}
