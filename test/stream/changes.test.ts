import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { ids, pathsOf, rows, textOf, upTo } from "./streams.js";

/** Writes a commit by hand, since this package makes none of its kind. */
async function commit(store: ObjectStore, version: number, actions: readonly object[]): Promise<void> {
  const text = actions.map((action) => `${JSON.stringify(action)}\n`).join("");
  await store.put(`_delta_log/${String(version).padStart(20, "0")}.json`, new TextEncoder().encode(text));
}

/** The actions of a commit. */
async function actionsOf(store: ObjectStore, version: number): Promise<Record<string, Record<string, unknown>>[]> {
  const text = await textOf(store, `_delta_log/${String(version).padStart(20, "0")}.json`);
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const addOf = async (store: ObjectStore, version: number) =>
  (await actionsOf(store, version)).find((action) => "add" in action)!.add!;

const removeOf = ({ path, size, partitionValues }: Record<string, unknown>, dataChange: boolean) => ({
  remove: { path, size, partitionValues, dataChange, extendedFileMetadata: true, deletionTimestamp: 0 },
});

/** Versions 0 and 1 add 0..2 and 2..4; then come the given actions; then 4..6. */
async function changed(
  actions: (store: ObjectStore) => Promise<readonly object[]>,
): Promise<{ readonly store: ObjectStore; readonly source: Table }> {
  const store = memoryStore();
  await Table.open(store).append(rows(0, 2));
  await Table.open(store).append(rows(2, 4));
  await commit(store, 2, await actions(store));
  await Table.open(store).append(rows(4, 6));
  return { store, source: Table.open(store) };
}

const deletes = (store: ObjectStore) => addOf(store, 0).then((add) => [removeOf(add, true)]);
/** Writes the file of version 0 again: as an update does that changes none of its rows. */
const updates = (store: ObjectStore) => addOf(store, 0).then((add) => [removeOf(add, true), { add }]);

async function streamed(source: Table, options: Parameters<Table["stream"]>[0]) {
  const target = Table.open(memoryStore());
  const checkpoint = memoryStore();
  const run = () => source.stream({ startingVersion: 0, ...options }).toTable(target, { checkpoint });
  return { target, checkpoint, run };
}

describe("commits that take rows away", () => {
  it("are refused, after what comes before them", async () => {
    for (const [actions, code] of [
      [deletes, "DELTA_SOURCE_IGNORE_DELETE"],
      [updates, "DELTA_SOURCE_TABLE_IGNORE_CHANGES"],
    ] as const) {
      const { source } = await changed(actions);
      const { target, run } = await streamed(source, {});
      const error = await expectCode(code, run);
      expect(error.data).toMatchObject({ version: 2 });
      expect(await ids(target)).toEqual(upTo(4));
      await expectCode(code, run);
      expect(await ids(target)).toEqual(upTo(4));
    }
  });

  it("are passed over or given as the options say", async () => {
    const expected = {
      deletes: { ignoreDeletes: upTo(6), ignoreChanges: upTo(6), skipChangeCommits: upTo(6) },
      updates: { ignoreDeletes: undefined, ignoreChanges: [0, 0, 1, 1, 2, 3, 4, 5], skipChangeCommits: upTo(6) },
    };
    for (const [kind, actions] of Object.entries({ deletes, updates })) {
      for (const option of ["ignoreDeletes", "ignoreChanges", "skipChangeCommits"] as const) {
        const { source } = await changed(actions);
        const { target, run } = await streamed(source, { [option]: true });
        const wanted = expected[kind as "deletes"][option];
        if (wanted === undefined) await expectCode("DELTA_SOURCE_TABLE_IGNORE_CHANGES", run);
        else {
          await run();
          expect([kind, option, await ids(target)]).toEqual([kind, option, wanted]);
        }
      }
    }
  });

  it("are no change where they only arrange rows anew", async () => {
    const { source } = await changed(async (store) => {
      const add = await addOf(store, 0);
      return [removeOf(add, false), { add: { ...add, dataChange: false } }];
    });
    const { target, run } = await streamed(source, {});
    await run();
    expect(await ids(target)).toEqual(upTo(6));
  });

  it("don't matter before the place where the stream begins", async () => {
    const { source } = await changed(deletes);
    const target = Table.open(memoryStore());
    await source.stream().toTable(target, { checkpoint: memoryStore() });
    expect(await ids(target)).toEqual([2, 3, 4, 5]);
  });
});

describe("a change of the source's schema", () => {
  async function withColumn(store: ObjectStore, version: number, column: object): Promise<void> {
    const metaData = (await actionsOf(store, 0)).find((action) => "metaData" in action)!.metaData!;
    const schema = JSON.parse(metaData.schemaString as string);
    const fields = [...schema.fields, { name: "text", type: "string", nullable: true, metadata: {}, ...column }];
    await commit(store, version, [{ metaData: { ...metaData, schemaString: JSON.stringify({ ...schema, fields }) } }]);
  }

  it("while the stream runs stops it after the batch before; started again it goes on with the new one", async () => {
    const store = memoryStore();
    const source = Table.open(store);
    await source.append(rows(0, 2));
    const target = Table.open(memoryStore());
    await target.create({ schema: { id: "long", text: "string" } });
    const checkpoint = memoryStore();
    let batches = 0;
    const run = () =>
      source.stream().toTable(target, {
        checkpoint,
        trigger: { everyMs: 1 },
        onProgress: async () => {
          if (batches++ > 0) return;
          await source.append(rows(2, 4));
          await withColumn(store, 2, {});
          await Table.open(store).append([{ id: 4n, text: "x" }]);
        },
      });
    const error = await expectCode("DELTA_SCHEMA_CHANGED", run);
    expect(error.data).toEqual({ version: 2, columns: ["text"] });
    expect(await ids(target)).toEqual(upTo(4));
    await Table.open(store).stream().toTable(target, { checkpoint });
    expect((await target.toArray()).filter(({ text }) => text !== null)).toEqual([{ id: 4n, text: "x" }]);
    expect(await ids(target)).toEqual(upTo(5));
  });

  it("that old rows have in them already, or that changes properties only, is none", async () => {
    const store = memoryStore();
    await Table.open(store).append(rows(0, 2));
    await withColumn(store, 1, {});
    await Table.open(store).append([{ id: 2n, text: "x" }]);
    const metaData = (await actionsOf(store, 1)).find((action) => "metaData" in action)!.metaData!;
    await commit(store, 3, [
      { metaData: { ...metaData, configuration: { "delta.logRetentionDuration": "interval 9 days" } } },
    ]);
    await Table.open(store).append([{ id: 3n, text: "y" }]);
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    await Table.open(store).stream({ startingVersion: 0 }).toTable(target, { checkpoint });
    expect(await ids(target)).toEqual(upTo(4));
    expect(await pathsOf(checkpoint)).toContain("commits/0");
  });
});
