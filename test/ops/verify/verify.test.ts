import { describe, expect, it } from "vitest";
import { Table, type VerifyProgress } from "#src/index.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../../expectCode.js";
import { add, putTable } from "../../log/build.js";
import { CountingStore } from "../../storage/countingStore.js";
import { editStats, lastAdd, ordinaryTable, soundTable, verify } from "./build.js";

describe("Table.verify", () => {
  it("reports what it looked at", async () => {
    const store = await soundTable();
    const files = await Table.open(store).files();
    expect(await verify(store)).toEqual({
      location: store.url,
      version: 3,
      ok: true,
      findings: [],
      counts: {},
      checked: {
        commits: 4,
        checkpoints: 1,
        compactions: 0,
        checksums: 0,
        files: 5,
        bytes: files.reduce((sum, { size }) => sum + size, 0),
        rows: 6,
      },
      orphans: { files: 0, bytes: 0 },
    });
  });

  it("looks as far as it is told to", async () => {
    const store = await soundTable();
    await editStats(store, (stats) => ({ ...stats, minValues: { id: 6 } }));
    expect((await verify(store)).counts).toEqual({ "stats-min": 1 });
    expect((await verify(store, { depth: "files" })).counts).toEqual({});
    await store.delete((await lastAdd(store)).path);
    expect((await verify(store, { depth: "files" })).counts).toEqual({ "file-missing": 1 });
    const log = await verify(store, { depth: "log" });
    expect(log).toMatchObject({ counts: {}, checked: { commits: 4, checkpoints: 1, files: 0 } });
    await expectCode("DELTA_INVALID_ARGUMENT", () => verify(store, { depth: "all" as "data" }));
  });

  it("only reads, and asks for a small file once", async () => {
    const store = new CountingStore(await soundTable());
    await verify(store);
    const verbs = new Set(store.calls.map(({ verb }) => verb));
    expect([...verbs].sort()).toEqual(["get", "head", "list", "listNames"]);
    const dataReads = store.calls.filter(({ verb, path }) => verb === "get" && !path.startsWith("_delta_log/"));
    expect(dataReads).toHaveLength(5);
    expect(store.calls.filter(({ verb, path }) => verb === "head" && !path.startsWith("_delta_log/"))).toEqual([]);
  });

  it("checks a past version, whose later files are no orphans", async () => {
    const store = await soundTable();
    await store.delete((await lastAdd(store)).path);
    const table = Table.open(store);
    expect(await table.at(2).verify()).toMatchObject({
      version: 2,
      ok: true,
      counts: {},
      checked: { commits: 3, files: 4 },
    });
    expect(await table.at(new Date()).verify()).toMatchObject({ version: 3, ok: false });
    await expectCode("DELTA_VERSION_NOT_FOUND", () => table.at(4).verify());
    await expectCode("DELTA_TABLE_NOT_FOUND", () => verify(memoryStore()));
  });

  it("keeps twenty findings of a code and counts the others, in bounded memory", async () => {
    const store = memoryStore();
    await putTable(
      store,
      Array.from({ length: 50 }, (_, i) => add(`f${i}.parquet`)),
    );
    const { findings, counts } = await verify(store);
    expect(counts).toEqual({ "file-missing": 50 });
    expect(findings.map(({ path }) => path)).toEqual(Array.from({ length: 20 }, (_, i) => `f${i}.parquet`));
  });

  it("tells how far it has come", async () => {
    const store = await soundTable();
    const told: VerifyProgress[] = [];
    await verify(store, { onProgress: (progress) => told.push(progress) });
    const last = Object.fromEntries(told.map(({ step, done }) => [step, done]));
    let listed = 0;
    for await (const _ of store.list("")) listed++;
    expect(last).toEqual({ commits: 4, listed, files: 5 });
  });

  it("stops at its signal", async () => {
    const store = await soundTable();
    for (const step of ["commits", "listed", "files"]) {
      const controller = new AbortController();
      const onProgress = (progress: VerifyProgress) => progress.step === step && controller.abort();
      await expectCode("DELTA_ABORTED", () => verify(store, { signal: controller.signal, onProgress }));
    }
  });

  it("goes on behind a gap with the next checkpoint's state", async () => {
    const store = await soundTable();
    await store.delete(commitPath(1));
    const { path } = await lastAdd(store);
    await store.delete(path);
    const { counts, checked } = await verify(store);
    expect(counts).toEqual({ "history-gap": 1, "file-missing": 1 });
    expect(checked).toMatchObject({ commits: 3, checkpoints: 1, files: 5 });
  });

  it("finds the damage of many versions in one pass, errors first", async () => {
    const store = memoryStore();
    await ordinaryTable(store);
    await store.put("_delta_log/stray", new Uint8Array(1));
    await store.delete((await lastAdd(store)).path);
    await store.put("_delta_log/_last_checkpoint", new Uint8Array(1));
    const { findings } = await verify(store);
    expect(findings.map(({ severity }) => severity)).toEqual(["error", "warning", "info"]);
  });

  it("takes a checkpoint that is written meanwhile for no damage", async () => {
    const store = await soundTable();
    const { list } = store;
    let hasListed = false;
    store.list = async function* (...args) {
      yield* list.apply(store, args);
      if (hasListed) return;
      hasListed = true;
      const other = Table.open(store);
      await other.append([{ id: 7n, part: "x" }]);
      await other.checkpoint();
    };
    const { counts, version } = await verify(store);
    expect({ counts, version }).toEqual({ counts: { "orphan-file": 1 }, version: 3 });
  });
});
