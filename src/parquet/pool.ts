import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import { runtime } from "../runtime.js";
import { abortedError, checkSignal } from "../signal.js";
import { compileWasm, type Done, instantiate, isTrap, type Job, runJob, type Wasm, type WasmModule } from "./codec.js";
import { NotRead } from "./storedRanges.js";
import type { Answer } from "./worker.js";

/** A job that the library refused or broke down on: the bytes are wrong, not the call. */
export class JobFailed extends Error {
  override readonly name = "JobFailed";
}

// A worker is ready after about 60 ms and costs 20 MB; in that time this thread gets through 4 MiB.
const SMALL_BYTES = 1024 * 1024;
const IDLE_MS = 10_000;
// WebAssembly memory never shrinks: a worker that grew beyond this is replaced.
const MAX_KEPT_MEMORY_BYTES = 512 * 1024 * 1024;

/** How many jobs run at once. */
export const parallelism = availableParallelism();

interface Waiting {
  readonly job: Job;
  readonly resolve: (done: Done) => void;
  readonly reject: (reason: unknown) => void;
  /** Takes the job out of the queue, or stops its worker. */
  stop: () => void;
}

const compiled = new Map<number, Promise<WasmModule>>();
let ownThread: Promise<Wasm> | undefined;
let ownThreadBroken = false;
const queue: Waiting[] = [];
const idle: Worker[] = [];
const cancelIdle = new Map<Worker, () => void>();
let startedWorkers = 0;

/**
 * Does a job here or, where `workBytes` (the Arrow bytes it takes or gives, about) say that it would hold this thread
 * up or there are workers already, in one of those, whereto `job.bytes` are transferred. Workers start when needed, as
 * many as there are processors, don't keep the process alive when idle, and end after 10 idle seconds. What breaks the
 * library here is tried again there, where it may take more memory.
 *
 * Throws {@link NotRead} for a job that names what can't be read, which only a worker tries, a {@link JobFailed} for bytes that the library can't work with, and `DELTA_ABORTED` at once when `signal`
 * fires: a worker that is busy with the job then is stopped. `DELTA_STORAGE_UNAVAILABLE` where no thread can be started.
 */
export async function run<J extends Job>(job: J, workBytes: number, signal?: AbortSignal): Promise<Done<J>> {
  checkSignal(signal, "reading or writing Parquet");
  // What this thread compiles for itself takes 30 MB: not while there are workers.
  const isHere = ownThread !== undefined || startedWorkers === 0;
  const isStored = job.kind === "decode" && job.stored !== undefined;
  if (workBytes < SMALL_BYTES && isHere && !ownThreadBroken && !isStored) {
    const module = await wasmModule(limits.MAX_OWN_DECODER_MEMORY_BYTES);
    checkSignal(signal, "reading or writing Parquet");
    ownThread ??= instantiate(module).catch((error: unknown) => {
      ownThread = undefined;
      throw error;
    });
    const done = runHere(await ownThread, job);
    if (done !== undefined) return done as Done<J>;
  }
  return (await runInWorker(job, signal)) as Done<J>;
}

async function runInWorker(job: Job, signal: AbortSignal | undefined): Promise<Done> {
  const module = await wasmModule(limits.MAX_DECODER_MEMORY_BYTES);
  checkSignal(signal, "reading or writing Parquet");
  let onAbort = () => {};
  try {
    return await new Promise((resolve, reject) => {
      const waiting: Waiting = { job, resolve, reject, stop: () => queue.splice(queue.indexOf(waiting), 1) };
      onAbort = () => {
        waiting.stop();
        reject(abortedError(signal, "reading or writing Parquet"));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      queue.push(waiting);
      dispatch(module);
    });
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Compiled once; a failure isn't kept. */
function wasmModule(maxMemoryBytes: number): Promise<WasmModule> {
  let module = compiled.get(maxMemoryBytes);
  if (module === undefined) {
    module = compileWasm(maxMemoryBytes).catch((error: unknown) => {
      compiled.delete(maxMemoryBytes);
      throw error;
    });
    compiled.set(maxMemoryBytes, module);
  }
  return module;
}

/** Undefined where this thread's instance is broken, or breaks: it has little memory, and a worker may do better. */
function runHere(wasm: Wasm, job: Job): Done | undefined {
  if (ownThreadBroken) return undefined;
  try {
    return runJob(wasm, job);
  } catch (error) {
    // The library has one instance a thread, so after a trap only workers, which can be replaced, go on.
    if (isTrap(error)) {
      ownThreadBroken = true;
      return undefined;
    }
    throw new JobFailed(String(error), { cause: error });
  }
}

function dispatch(module: WasmModule): void {
  while (queue.length > 0 && (idle.length > 0 || startedWorkers < parallelism)) {
    const waiting = queue.shift()!;
    const worker = idle.at(-1) ?? start(module);
    takeFromIdle(worker);
    give(worker, waiting, module);
  }
}

function start(module: WasmModule): Worker {
  startedWorkers++;
  // Without the program's own options of Node: a worker refuses some of them, `--input-type` for one.
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: module, execArgv: [] });
  // Of a worker that ends while it is idle nobody would hear; a job given to it would never end.
  worker.once("exit", () => {
    if (takeFromIdle(worker)) startedWorkers--;
  });
  return worker;
}

function takeFromIdle(worker: Worker): boolean {
  cancelIdle.get(worker)?.();
  cancelIdle.delete(worker);
  const index = idle.indexOf(worker);
  if (index >= 0) idle.splice(index, 1);
  return index >= 0;
}

function give(worker: Worker, waiting: Waiting, module: WasmModule): void {
  const settle = (keep: boolean, outcome: () => void) => {
    worker.off("message", onMessage).off("error", onError).off("exit", onExit);
    waiting.stop = () => {};
    if (keep) rest(worker);
    else discard(worker);
    outcome();
    dispatch(module);
  };
  const fail = (error: unknown) =>
    waiting.reject(isShortage(error) ? shortage(error) : new JobFailed(String(error), { cause: error }));
  const onMessage = (answer: Answer) => {
    const isSmall = answer.memoryBytes <= MAX_KEPT_MEMORY_BYTES;
    if ("shortage" in answer) settle(false, () => waiting.reject(shortage(answer.shortage)));
    else if ("error" in answer) settle(isSmall && !answer.trapped, () => fail(answer.error));
    else if ("notRead" in answer) settle(isSmall, () => waiting.reject(new NotRead(answer.notRead)));
    else settle(isSmall, () => waiting.resolve(answer.done));
  };
  const onError = (error: unknown) => settle(false, () => fail(error));
  const onExit = () => settle(false, () => fail("its worker thread ended"));
  waiting.stop = () => settle(false, () => {});
  worker.on("message", onMessage).on("error", onError).on("exit", onExit);
  worker.ref();
  worker.postMessage(waiting.job, [waiting.job.bytes.buffer]);
}

/** A thread that couldn't begin says nothing of the bytes it was given. */
function isShortage(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && ["ERR_WORKER_INIT_FAILED", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN"].includes(code);
}

function shortage(error: unknown): DeltaError {
  return new DeltaError(
    "DELTA_STORAGE_UNAVAILABLE",
    `No thread could be started to read or write Parquet (${error}). Call again, with fewer files open or more memory free.`,
    {},
    error,
  );
}

function rest(worker: Worker): void {
  worker.unref();
  idle.push(worker);
  const cancel = runtime.later(IDLE_MS, () => {
    takeFromIdle(worker);
    discard(worker);
  });
  cancelIdle.set(worker, cancel);
}

function discard(worker: Worker): void {
  startedWorkers--;
  // Whatever a worker says while it is stopped concerns nobody any more.
  worker.on("error", () => {});
  worker.unref();
  void worker.terminate();
}
