import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Int32, Int64, Table, tableToIPC, Utf8 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import type { DecodedBuffers } from "#src/parquet/exported.js";
import { loadBuffers } from "#src/parquet/loadBuffers.js";
import { JobFailed, parallelism, run } from "#src/parquet/pool.js";
import { encodeParquet } from "#src/parquet/write.js";
import { expectCode } from "../expectCode.js";
import { batchesOf, encode, plain, read, vector } from "./fixtures.js";

// What a job is said to weigh decides where it is done.
const HERE = 0;
const IN_WORKER = 1e9;

const decodeJob = (bytes: Uint8Array) => ({ kind: "decode", bytes: bytes.slice(), batchRows: 1000 }) as const;
const small = () => encode({ id: vector(new Int64(), [1n, null]), s: vector(new Utf8(), [null, "b"]) });

describe("run", () => {
  it("gives the same here and in a worker", async () => {
    const bytes = await small();
    const here = await run(decodeJob(bytes), HERE);
    const inWorker = await run(decodeJob(bytes), IN_WORKER);
    expect(inWorker).toEqual(here);
    expect(plain(loadBuffers(here as DecodedBuffers))).toEqual({ id: [1n, null], s: [null, "b"] });
  });

  it("transfers the bytes to the worker instead of copying them", async () => {
    const job = decodeJob(await small());
    await run(job, IN_WORKER);
    expect(job.bytes.buffer.byteLength).toBe(0);
  });

  it("fails for damaged bytes in both places, and works on", async () => {
    const good = await small();
    for (const weight of [HERE, IN_WORKER]) {
      await expect(run(decodeJob(new Uint8Array(50)), weight)).rejects.toThrow(JobFailed);
      expect(await run(decodeJob(good), weight)).toMatchObject({ batches: [{ length: 2 }] });
    }
  });

  it("does more jobs than there are workers", async () => {
    const good = await small();
    const expected = await run(decodeJob(good), HERE);
    const jobs = Array.from({ length: parallelism * 4 }, (_, i) =>
      i % 3 === 1 ? decodeJob(new Uint8Array(50)) : decodeJob(good),
    );
    const outcomes = await Promise.allSettled(jobs.map((job) => run(job, IN_WORKER)));
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 3 === 1) expect(outcome).toMatchObject({ status: "rejected" });
      else expect(outcome).toEqual({ status: "fulfilled", value: expected });
    }
  });

  it("stops running and waiting jobs with their signal, and none else", async () => {
    const rows = Int32Array.from({ length: 3_000_000 }, (_, i) => Math.imul(i, 7919));
    const ipc = tableToIPC(new Table({ id: vector(new Int32(), rows) }), "stream");
    const encodeJob = () =>
      ({
        kind: "encode",
        bytes: ipc.slice() as Uint8Array<ArrayBuffer>,
        compression: "zstd",
        rowGroupRows: 1e6,
        pageStatistics: false,
        plainColumns: [],
      }) as const;
    const controller = new AbortController();
    const doomed = Array.from({ length: parallelism + 2 }, () => run(encodeJob(), IN_WORKER, controller.signal));
    const other = run(decodeJob(await small()), IN_WORKER);
    const settled = Promise.allSettled(doomed);
    controller.abort();
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "DELTA_ABORTED" } });
    }
    expect(await other).toMatchObject({ batches: [{ length: 2 }] });
    await expectCode("DELTA_ABORTED", () => run(encodeJob(), HERE, AbortSignal.abort()));
  });
});

describe("large data", () => {
  it("goes through workers there and back unchanged", async () => {
    const rows = 130_000;
    const columns = {
      id: vector(
        new Int32(),
        Int32Array.from({ length: rows }, (_, i) => i),
      ),
      s: vector(
        new Utf8(),
        Array.from({ length: rows }, (_, i) => (i % 10 === 0 ? null : `value ${i % 1000}`)),
      ),
    };
    const source = batchesOf(columns);
    const encoded = await encodeParquet(source, { rowGroupRows: 50_000 });
    expect(encoded.rowCount).toBe(rows);
    // The source's buffers are still its own.
    expect(source.map((batch) => batch.getChild("id")!.get(7))).toEqual([7]);
    const batches = await read(encoded.bytes);
    expect(batches.every((batch) => batch.numRows <= 122_880)).toBe(true);
    expect(plain(batches)).toEqual(plain(source));
  });

  it("doesn't keep the process alive afterwards", async () => {
    const child = fileURLToPath(new URL("./exitChild.mjs", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [child]);
    expect(stdout.trim()).toBe("499999500000");
  });
});
