import { describe, expect, it } from "vitest";
import {
  DoneFiles,
  type DoneFilesState,
  NO_FILES,
  outdatedSegments,
  planMerge,
  segmentPaths,
} from "#src/load/doneFiles.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { isLong } from "../form.js";
import { CountingStore } from "../storage/countingStore.js";

const FOLDER = "_delta_log/_loads/job/";
const identity = (sizeBytes: number, modifiedMs = 1_700_000_000_123, etag?: string) => ({
  sizeBytes,
  modifiedMs,
  etag,
});
const REST = { contentHash: "00112233445566ff", records: 7, lines: 8 };
const stateBytes = (state: DoneFilesState) => JSON.stringify(state).length;

describe("the set of done files", () => {
  it("gives back what it was told, also the largest numbers and times before 1970", async () => {
    const store = memoryStore();
    const files = new DoneFiles(store, FOLDER, NO_FILES);
    files.add("/a/ü.csv", identity(2 ** 48 - 1, -5, '"tag"'), {
      contentHash: "ffeeddccbbaa9988",
      records: 2 ** 48 - 1,
      lines: 0,
    });
    files.add("/a/b.csv", identity(0, 12.7), REST);
    const again = new DoneFiles(store, FOLDER, JSON.parse(JSON.stringify(await files.stage())));
    expect(await again.find("/a/ü.csv")).toMatchObject({
      sizeBytes: 2 ** 48 - 1,
      modifiedMs: -5,
      contentHash: "ffeeddccbbaa9988",
      records: 2 ** 48 - 1,
      lines: 0,
    });
    expect((await again.find("/a/ü.csv"))!.etagHash).toBeGreaterThan(0);
    expect(await again.find("/a/b.csv")).toEqual({ sizeBytes: 0, modifiedMs: 12, etagHash: 0, ...REST });
    expect(await again.find("/a/c.csv")).toBeUndefined();
  });

  it("holds very many files with a state that stays small and few writes, and finds each", async () => {
    const store = new CountingStore(memoryStore());
    const [total, perStep] = [isLong ? 1_000_000 : 200_000, 5_000];
    let state = NO_FILES;
    let largest = 0;
    let written = 0;
    for (let at = 0; at < total; at += perStep) {
      const files = new DoneFiles(store, FOLDER, state);
      for (let i = at; i < at + perStep; i++) files.add(`s3://raw/${i}.csv`, identity(i), REST);
      const next = await files.stage();
      for (const one of next.segments) if (!state.segments.includes(one)) written += one.entries;
      for (const path of outdatedSegments(FOLDER, state, next)) await store.delete(path);
      state = JSON.parse(JSON.stringify(next));
      largest = Math.max(largest, stateBytes(state));
    }
    expect(largest).toBeLessThan(10_000);
    // Each entry once a tier.
    expect(written).toBeLessThan(4 * total);
    expect(state.segments.length).toBeLessThan(40);
    const kept = [...(await store.listNames(FOLDER))].sort();
    expect(kept).toEqual(segmentPaths(FOLDER, state).sort());

    const files = new DoneFiles(store, FOLDER, state);
    expect(files.size).toBe(total);
    store.calls = [];
    files.add("one more", identity(1), REST);
    await files.stage();
    expect(store.count()).toBe(0);
    let missed = 0;
    for (let i = 0; i < total; i += 97) if ((await files.find(`s3://raw/${i}.csv`))?.sizeBytes !== i) missed++;
    expect(missed).toBe(0);
    expect(await files.find(`s3://raw/${total}.csv`)).toBeUndefined();
    expect(store.count("get")).toBe(state.segments.length);
  });

  it("knows of each file what it was told last, however the steps fall (property)", async () => {
    const step = fc.record({ first: fc.nat(1500), count: fc.nat(2000), size: fc.nat(2 ** 30) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), async (steps) => {
        const store = memoryStore();
        const model = new Map<string, number>();
        let state = NO_FILES;
        for (const { first, count, size } of steps) {
          const files = new DoneFiles(store, FOLDER, state);
          for (let name = first; name < first + count; name++) {
            files.add(`${name}`, identity(size + name), REST);
            model.set(`${name}`, size + name);
          }
          state = JSON.parse(JSON.stringify(await files.stage()));
        }
        const files = new DoneFiles(store, FOLDER, state);
        let wrong = 0;
        for (const [name, size] of model) if ((await files.find(name))?.sizeBytes !== size) wrong++;
        expect(wrong).toBe(0);
        expect(await files.find("-1")).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  it("never lets an older segment have the last word: tiers don't grow towards the newest", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 513, max: 400_000 }), { maxLength: 200 }), (added) => {
        let segments: { entries: number }[] = [];
        for (const entries of added) {
          const count = planMerge(segments, entries);
          const merged = segments.slice(segments.length - count).reduce((sum, one) => sum + one.entries, entries);
          segments = [...segments.slice(0, segments.length - count), { entries: merged }];
        }
        const tiers = segments.map(({ entries }) => Math.floor(Math.log10(entries / 512) + 1e-12));
        expect(tiers).toEqual([...tiers].sort((a, b) => b - a));
        for (const tier of tiers) expect(tiers.filter((one) => one === tier).length).toBeLessThan(10);
      }),
    );
  });

  it("forgets files that are older than its watermark, which count as done", async () => {
    const store = memoryStore();
    let files = new DoneFiles(store, FOLDER, NO_FILES);
    for (let i = 0; i < 600; i++) files.add(`old/${i}`, identity(1, 1_000 + i), REST);
    files = new DoneFiles(store, FOLDER, await files.stage());
    for (let i = 0; i < 3; i++) files.add(`new/${i}`, identity(1, 5_000 + i), REST);
    expect(files.isExpired(identity(1, 1_000))).toBe(false);
    files.expire(5_001);
    const state = await files.stage();
    expect(state.segments).toEqual([]);
    expect(state.replaced).toHaveLength(1);
    files = new DoneFiles(store, FOLDER, state);
    expect(files.size).toBe(2);
    expect(files.isExpired(identity(1, 5_000))).toBe(true);
    expect(files.isExpired(identity(1, 5_001))).toBe(false);
    // A longer retention later doesn't bring back what is forgotten.
    files.expire(2_000);
    expect(files.isExpired(identity(1, 5_000))).toBe(true);
    expect(outdatedSegments(FOLDER, state, await files.stage())).toHaveLength(1);
  });

  it("says so when a segment is gone or is another's", async () => {
    const store = memoryStore();
    const files = new DoneFiles(store, FOLDER, NO_FILES);
    for (let i = 0; i < 600; i++) files.add(`${i}`, identity(1), REST);
    const state = await files.stage();
    const [path] = segmentPaths(FOLDER, state);
    await store.put(path!, (await store.get(path!)).reverse());
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => new DoneFiles(store, FOLDER, state).find("1"));
    await store.delete(path!);
    await expectCode("DELTA_LOAD_PROGRESS_LOST", () => new DoneFiles(store, FOLDER, state).find("1"));
  });
});
