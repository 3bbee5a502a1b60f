import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type DeadLetter, Table } from "#src/index.js";
import { RetriedLetters } from "#src/load/retriedLetters.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";
import { csvLines, HEADER, idsOf, isBad, range, SCHEMA, scratchFolder, write } from "./loadFixture.js";

const root = await scratchFolder();
let files = 0;
const csv = (text: string) => write(join(root, `${files++}.csv`), text);

async function lettersOf(table: Table, job?: string): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for await (const letter of table.deadLetters(job === undefined ? {} : { job })) all.push(letter);
  return all;
}
const rawOf = ({ raw }: DeadLetter) => Buffer.from(raw).toString();

describe("dead letters", () => {
  it("that another run has committed, and perhaps not flushed, last before the job moves on", async () => {
    const store = new CountingStore(memoryStore());
    const file = await csv("id,name,v\n1,a,1\n2,b,x\n");
    await Table.open(store).load(file, { schema: SCHEMA, job: "j" });
    store.take();
    const again = await Table.open(store).load(file, { schema: SCHEMA, job: "j" });
    expect(again.isUpToDate).toBe(true);
    expect(store.take()).toContain("settle _dead_letters/_delta_log/");
  });

  it("tell where each record was, what was wrong, and how it was parsed", async () => {
    const table = Table.open(memoryStore());
    const file = await csv('id,name,v\n1,a,1\n2,"b\nb",x\n3,c,3\n');
    await table.load(file, { schema: SCHEMA, job: "j" });
    const [letter, ...others] = await lettersOf(table);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      id: "j/1/0",
      job: "j",
      batch: 1n,
      file,
      byte_offset: 16n,
      line: 3n,
      record: 1n,
      column: "v",
      code: "TYPE",
    });
    expect(rawOf(letter!)).toBe('2,"b\nb",x');
    expect(JSON.parse(letter!.parser)).toMatchObject({ format: "csv", columns: ["id", "name", "v"] });
  });

  it("are none of a table that has none", async () => {
    const table = Table.open(memoryStore());
    expect(await lettersOf(table)).toEqual([]);
    await table.create({ schema: SCHEMA });
    expect(await lettersOf(table)).toEqual([]);
    expect(await table.retryDeadLetters()).toEqual({ rowsLoaded: 0, rowsFiltered: 0, rowsDead: 0, version: undefined });
  });

  it("lie where they are wanted", async () => {
    const table = Table.open(memoryStore());
    const elsewhere = join(root, "elsewhere");
    const file = await csv(HEADER + csvLines(0, 100));
    expect(await table.load(file, { schema: SCHEMA, deadLetters: elsewhere })).toMatchObject({
      deadLetters: elsewhere,
    });
    expect(await Table.open(elsewhere).count()).toBe(1);
    expect(await lettersOf(table)).toEqual([]);
    for await (const { id } of table.deadLetters({ deadLetters: elsewhere })) expect(id).toMatch(/\/1\/0$/);
  });
});

describe("a retry of dead letters", () => {
  it("loads those that are mended, once, and leaves the others", async () => {
    const table = Table.open(memoryStore());
    await table.load(await csv(HEADER + csvLines(0, 500)), { schema: SCHEMA, job: "a" });
    await table.load(await csv(HEADER + csvLines(500, 600)), { schema: SCHEMA, job: "b" });
    const bad = range(0, 600).filter(isBad);
    const letters = await lettersOf(table);
    expect(letters.map((one) => Number(rawOf(one).split(",")[0]))).toEqual(bad);
    expect(await table.retryDeadLetters()).toMatchObject({ rowsLoaded: 0, rowsDead: bad.length, version: undefined });
    const mended = letters.slice(0, 3).map((one) => ({ id: one.id, raw: rawOf(one).replace(/x$/, "7.25") }));
    const result = await table.retryDeadLetters({ mended });
    expect(result).toEqual({ rowsLoaded: 3, rowsFiltered: 0, rowsDead: 0, version: await table.version() });
    expect(await table.count({ where: { v: 7.25 } })).toBe(3);
    expect(await table.retryDeadLetters({ mended })).toMatchObject({ rowsLoaded: 0, version: undefined });
    expect((await lettersOf(table)).map(({ id }) => id)).toEqual(letters.slice(3).map(({ id }) => id));
    const rest = letters.slice(3).map((one) => ({ id: one.id, raw: Buffer.from(rawOf(one).replace(/x$/, "8")) }));
    expect(await table.retryDeadLetters({ mended: rest })).toMatchObject({ rowsLoaded: rest.length });
    expect(await lettersOf(table)).toEqual([]);
    expect(await idsOf(table)).toEqual(range(0, 600));
    const { operationMetrics } = (await table.history({ limit: 1 }))[0]!;
    expect(operationMetrics).toMatchObject({ rowsDead: "0", rowsFiltered: "0" });
  });

  it("keeps a text dead that is still no record, or more than one, also beside good ones", async () => {
    const table = Table.open(memoryStore());
    await table.load(await csv(`${HEADER}1,a,x\n2,b,x\n3,c,x\n4,d,x\n5,e,x\n`), { schema: SCHEMA });
    const letters = await lettersOf(table);
    const texts = ["1,a,1", "2,b,y", '3,"open,3', "4,d,4\n40,d,4", '5,"e\ne",5'];
    const mended = letters.map(({ id }, index) => ({ id, raw: texts[index]! }));
    expect(await table.retryDeadLetters({ mended })).toMatchObject({ rowsLoaded: 2, rowsDead: 3 });
    expect(await table.toArray({ columns: ["id", "name"] })).toEqual([
      { id: 1n, name: "a" },
      { id: 5n, name: "e\ne" },
    ]);
    expect((await lettersOf(table)).map((one) => rawOf(one)[0])).toEqual(["2", "3", "4"]);
  });

  it("parses with other options, and keeps out what the load keeps out", async () => {
    const table = Table.open(memoryStore());
    const file = await csv(`${HEADER}1,a,-\n200,b,-\n3,c,3\n`);
    await table.load(file, { schema: SCHEMA, where: { id: { lt: 100n } } });
    expect(await table.retryDeadLetters({ nullValues: ["-"] })).toMatchObject({ rowsLoaded: 1, rowsFiltered: 1 });
    expect(await table.toArray()).toEqual(
      expect.arrayContaining([
        { id: 1n, name: "a", v: null },
        { id: 3n, name: "c", v: 3 },
      ]),
    );
    expect(await lettersOf(table)).toEqual([]);
  });

  it("by two at once loads each letter once", async () => {
    const store = memoryStore();
    await Table.open(store).load(await csv(HEADER + csvLines(0, 500)), { schema: SCHEMA });
    const mended = (await lettersOf(Table.open(store))).map((one) => ({
      id: one.id,
      raw: rawOf(one).replace(/x$/, "1"),
    }));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 3 }, () => Table.open(store).retryDeadLetters({ mended })),
    );
    for (const one of outcomes) {
      if (one.status === "rejected") expect(one.reason.code).toBe("DELTA_CONCURRENT_TRANSACTION");
    }
    expect(await idsOf(Table.open(store))).toEqual(range(0, 500));
  });

  it("takes no mended letter without a text", async () => {
    const table = Table.open(memoryStore());
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.retryDeadLetters({ mended: [{ id: "a" } as never] }));
  });
});

describe("the set of retried letters", () => {
  it("is small where letters follow each other, in whatever order they come", () => {
    let set = RetriedLetters.of("j", undefined);
    set = set.with(range(500, 1000).map((number) => ({ step: 7, number })));
    set = set.with(range(0, 500).map((number) => ({ step: 7, number })));
    set = set.with([
      { step: 7, number: 1001 },
      { step: 8, number: 0 },
    ]);
    const json = JSON.parse(JSON.stringify(set.toJson()));
    expect(json.retried).toEqual({
      7: [
        [0, 999],
        [1001, 1001],
      ],
      8: [[0, 0]],
    });
    const again = RetriedLetters.of("j", json);
    expect([0, 999, 1000, 1001, 1002].map((number) => again.has(7, number))).toEqual([true, true, false, true, false]);
    expect(again.has(9, 0)).toBe(false);
  });

  it("of a later form is refused", async () => {
    await expectCode("DELTA_LOAD_OPTIONS_CHANGED", () => RetriedLetters.of("j", { format: 2 }));
  });
});
