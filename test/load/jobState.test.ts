import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { addBooks, bookMetrics, NO_BOOKS } from "#src/load/books.js";
import { NO_FILES } from "#src/load/doneFiles.js";
import { jobNameOf } from "#src/load/jobName.js";
import { changedOptions, decodeState, encodeState, type JobState } from "#src/load/jobState.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

const STATE: JobState = {
  options: { delimiter: ";" },
  shapes: { csv: { dialect: { delimiter: ";" }, schema: { type: "struct", fields: [] } } },
  files: NO_FILES,
  current: {
    url: "/a.csv",
    identity: { sizeBytes: 10, modifiedMs: 1 },
    position: { record: 1, line: 2, bytes: { stored: 5, decoded: 0 } },
    storedBytes: 5,
    head: "aa",
    tail: "bb",
  },
  books: { ...NO_BOOKS, rowsRead: 1, rowsLoaded: 1 },
  unfinished: { rowsRead: 1, rowsDead: 0 },
};

describe("a load's state", () => {
  it("comes back from JSON as it was", () => {
    const json = JSON.parse(JSON.stringify(encodeState(STATE)));
    expect(json).toMatchObject({ format: 1, madeBy: expect.stringMatching(/^delta-table\//) });
    expect(decodeState("job", json)).toEqual(STATE);
  });

  it("of a later form is refused, naming the form and who made it", async () => {
    const json = { ...(encodeState(STATE) as object), format: 2, madeBy: "delta-table/9.0.0" };
    const { data } = await expectCode("DELTA_LOAD_OPTIONS_CHANGED", () => decodeState("job", json));
    expect(data).toEqual({
      job: "job",
      changes: [{ option: "state format", job: 2, now: 1 }],
      madeBy: "delta-table/9.0.0",
    });
  });

  it("isn't taken for the offset of a program's own job, nor the other way round", async () => {
    await expectCode("DELTA_INVALID_ARGUMENT", () => decodeState("job", { offset: 3 }));
    const table = Table.open(memoryStore());
    const job = table.checkpointed("job");
    await job.append([{ id: 1 }], { offset: null });
    expect(await table.checkpointed("job").offset()).toBeNull();
  });

  it("names each option that differs", () => {
    expect(changedOptions({ a: 1, b: [1, 2], c: null }, { b: [1, 2], a: "1", d: true })).toEqual([
      { option: "a", job: 1, now: "1" },
      { option: "c", job: null, now: undefined },
      { option: "d", job: undefined, now: true },
    ]);
    expect(changedOptions({ a: { x: [1] } }, { a: { x: [1] } })).toEqual([]);
  });
});

describe("a job's name", () => {
  it("is the same for the same sources and readable", () => {
    expect(jobNameOf(["/data/2026-*/flights.csv.gz"])).toMatch(/^flights\.csv\.gz-[0-9a-f]{12}$/);
    expect(jobNameOf(["/data/*.csv"])).toMatch(/^csv-[0-9a-f]{12}$/);
    expect(jobNameOf(["s3://raw/ü x/"])).toMatch(/^ü-x-[0-9a-f]{12}$/);
    expect(jobNameOf(["/"])).toMatch(/^load-[0-9a-f]{12}$/);
    expect(jobNameOf(["/a", "/b"])).toBe(jobNameOf(["/a", "/b"]));
    expect(jobNameOf(["/a", "/b"])).not.toBe(jobNameOf(["/b", "/a"]));
    expect(jobNameOf([`/${"x".repeat(300)}`])).toMatch(/^x{40}-[0-9a-f]{12}$/);
  });
});

describe("the books", () => {
  it("add up, and are texts in a commit", () => {
    const one = { rowsRead: 10, rowsLoaded: 7, rowsDead: 1, rowsFiltered: 2, filesDone: 1, bytesRead: 100 };
    expect(addBooks(one, one)).toEqual({
      rowsRead: 20,
      rowsLoaded: 14,
      rowsDead: 2,
      rowsFiltered: 4,
      filesDone: 2,
      bytesRead: 200,
    });
    expect(bookMetrics(one)).toEqual({ rowsRead: "10", rowsLoaded: "7", rowsDead: "1", rowsFiltered: "2" });
  });
});
