import { parquetReadObjects } from "hyparquet";
import { beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { writeCheckpoint } from "#src/log/checkpoint.js";
import { jsonChecksum } from "#src/log/lastCheckpoint.js";
import { commitPath, LAST_CHECKPOINT_PATH, LOG_FOLDER, SIDECAR_FOLDER } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { add, liveFiles, livePaths, metaData, putCommit, putTable, remove, tombstonePaths } from "./build.js";

type Row = Record<string, Record<string, unknown> | undefined>;

let store: ObjectStore;
beforeEach(() => {
  store = memoryStore();
});

async function rowsOf(path: string): Promise<Row[]> {
  const bytes = await store.get(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return parquetReadObjects({ file });
}

const V2: Action = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["v2Checkpoint"],
    writerFeatures: ["v2Checkpoint"],
  },
};
const V2_PROPERTIES = { "delta.checkpointPolicy": "v2", "delta.parquet.compression.codec": "snappy" };

/** The names of a version's checkpoints. */
async function checkpointsOf(version: number): Promise<string[]> {
  const names = await store.listNames(LOG_FOLDER);
  return names.filter((name) => name.startsWith(commitPath(version).replace(".json", ".checkpoint.")));
}

describe("a V2 checkpoint", () => {
  it("holds the whole state in a file of its own name and a sidecar", async () => {
    await putTable(
      store,
      [V2, metaData(V2_PROPERTIES), add("a", { stats: '{"numRecords":1}' }), add("b")],
      [{ txn: { appId: "x", version: 4 } }, remove("b", { deletionTimestamp: Date.now() })],
    );
    const before = await loadSnapshot(store);
    const written = await writeCheckpoint(store, before);
    expect(written).toMatchObject({ version: 2, actionCount: 7, fileCount: 1 });
    expect(await checkpointsOf(2)).toEqual([written.path]);
    expect(written.path).toMatch(/\.checkpoint\.[0-9a-f-]{36}\.parquet$/);

    const rows = await rowsOf(written.path);
    const [{ checkpointMetadata } = {}] = rows;
    expect(checkpointMetadata).toMatchObject({ version: 2n });
    const sidecars = rows.flatMap(({ sidecar }) => sidecar ?? []);
    const [name] = await store.listNames(SIDECAR_FOLDER);
    const sizeBytes = (await store.get(name!)).length;
    expect(sidecars).toMatchObject([{ path: name!.slice(SIDECAR_FOLDER.length), sizeInBytes: BigInt(sizeBytes) }]);
    const actions = await rowsOf(name!);
    expect(actions.map(({ add: live, remove: gone }) => live?.path ?? gone?.path)).toEqual(["a", "b"]);

    const hint = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_PATH)));
    const manifestBytes = (await store.get(written.path)).length;
    expect(hint).toEqual({
      version: 2,
      size: 7,
      sizeInBytes: manifestBytes + sizeBytes,
      numOfAddFiles: 1,
      v2Checkpoint: {
        path: written.path.slice(LOG_FOLDER.length),
        sizeInBytes: manifestBytes,
        modificationTime: expect.any(Number),
      },
      checksum: jsonChecksum(hint),
    });

    for (const version of [0, 1, 2]) await store.delete(commitPath(version));
    const after = await loadSnapshot(store);
    expect(after.protocol).toEqual(before.protocol);
    expect(after.metadata).toEqual(before.metadata);
    expect([...after.transactions]).toEqual([...before.transactions]);
    expect(await liveFiles(after)).toMatchObject([{ path: "a", stats: '{"numRecords":1}' }]);
    expect(await tombstonePaths(after)).toEqual(["b"]);
  });

  it("has no sidecar where there are no files", async () => {
    await putTable(store, [V2, metaData(V2_PROPERTIES)]);
    await writeCheckpoint(store, await loadSnapshot(store));
    expect(await store.listNames(SIDECAR_FOLDER)).toEqual([]);
    for (const version of [0, 1]) await store.delete(commitPath(version));
    expect(await livePaths(await loadSnapshot(store))).toEqual([]);
  });

  it("is cut into sidecars", async () => {
    const adds = Array.from({ length: 120_000 }, (_, i) => add(`file-${i}`));
    await putTable(store, [V2, metaData(V2_PROPERTIES), ...adds]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const counts = await Promise.all(
      (await store.listNames(SIDECAR_FOLDER)).map(async (path) => (await rowsOf(path)).length),
    );
    expect(counts.length).toBeGreaterThan(1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(100_000);
    expect(counts.reduce((sum, count) => sum + count)).toBe(120_000);
    for (const version of [0, 1]) await store.delete(commitPath(version));
    expect(await livePaths(await loadSnapshot(store))).toHaveLength(120_000);
  });

  it("is written after commits by itself, and told of by verify", async () => {
    const table = Table.open(store);
    await table.create({
      schema: { id: "long" },
      properties: { "delta.checkpointPolicy": "v2", "delta.checkpointInterval": "2" },
    });
    for (let i = 0; i < 5; i++) await table.append([{ id: BigInt(i) }]);
    expect(await checkpointsOf(2)).toHaveLength(1);
    expect(await checkpointsOf(4)).toHaveLength(1);
    const { findings, checked } = await Table.open(store).verify();
    expect(findings).toEqual([]);
    expect(checked).toMatchObject({ checkpoints: 2, files: 5 });
  });
});

describe("statistics as structs", () => {
  const STRUCTS = { "delta.checkpoint.writeStatsAsStruct": "true", "delta.parquet.compression.codec": "snappy" };
  const schemaString = (fields: readonly object[]) => JSON.stringify({ type: "struct", fields });
  const column = (name: string, type: unknown, metadata = {}) => ({ name, type, nullable: true, metadata });

  async function addedIn(version: number): Promise<Row[string]> {
    const [path] = await checkpointsOf(version);
    return (await rowsOf(path!)).find(({ add: live }) => live !== undefined && live !== null)!.add;
  }

  it("have the columns' types, and leave out what is no value of them", async () => {
    const inner = { type: "struct", fields: [column("x", "integer")] };
    const fields = [
      column("id", "long"),
      column("price", "decimal(20,2)"),
      column("day", "date"),
      column("at", "timestamp"),
      column("name", "string"),
      column("flag", "boolean"),
      column("in", inner),
      column("list", { type: "array", elementType: "long", containsNull: true }),
    ];
    const bounds = `{"id":9007199254740993,"price":123456789012345678.25,"day":"2024-02-29","at":"2024-01-31T12:00:00.123Z","name":7,"flag":true,"in":{"x":5},"gone":1}`;
    const stats = `{"numRecords":3,"minValues":${bounds},"maxValues":${bounds},"nullCount":{"id":0,"flag":1,"in":{"x":2},"list":3}}`;
    await putTable(store, [metaData(STRUCTS, schemaString(fields)), add("a", { stats })]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const added = await addedIn(1);
    expect(added!.stats).toBe(stats);
    expect(added!.stats_parsed).toMatchObject({
      numRecords: 3n,
      minValues: { id: 9007199254740993n, in: { x: 5 } },
      nullCount: { id: 0n, flag: 1n, in: { x: 2n }, list: 3n },
    });
    const { minValues } = added!.stats_parsed as { minValues: Record<string, unknown> };
    expect(minValues.name).toBeNull();
    expect(Object.keys(minValues).sort()).toEqual(["at", "day", "id", "in", "name", "price"]);
    expect(minValues.day).toEqual(new Date("2024-02-29"));
    expect(minValues.at).toEqual(new Date("2024-01-31T12:00:00.123Z"));
    expect(added).not.toHaveProperty("partitionValues_parsed");
  });

  it("alone tell what the texts told", async () => {
    const configuration = { ...STRUCTS, "delta.checkpoint.writeStatsAsJson": "false" };
    const stats = '{"numRecords":3,"minValues":{"id":1},"maxValues":{"id":3},"nullCount":{"id":0}}';
    await putTable(store, [metaData(configuration), add("a", { stats }), add("b"), add("c", { stats: "{" })]);
    await writeCheckpoint(store, await loadSnapshot(store));
    for (const version of [0, 1]) await store.delete(commitPath(version));
    const files = await liveFiles(await loadSnapshot(store));
    expect(files.map((file) => file.stats)).toEqual([stats, undefined, undefined]);
    await putCommit(store, 2, add("d"));
    await writeCheckpoint(store, await loadSnapshot(store));
    expect((await addedIn(2))!.stats_parsed).toMatchObject({ numRecords: 3n, minValues: { id: 1n } });
  });

  it("and partition values go by physical names", async () => {
    const mapped = (name: string, type: string, id: number) =>
      column(name, type, { "delta.columnMapping.id": id, "delta.columnMapping.physicalName": `col-${id}` });
    const metadata = metaData(
      { ...STRUCTS, "delta.columnMapping.mode": "name" },
      schemaString([mapped("id", "long", 1), mapped("day", "date", 2)]),
    ) as { metaData: object };
    await putTable(store, [
      { protocol: { minReaderVersion: 2, minWriterVersion: 5 } },
      { metaData: { ...metadata.metaData, partitionColumns: ["day"] } } as unknown as Action,
      add("a", { partitionValues: { "col-2": "2024-02-29" }, stats: '{"numRecords":1,"minValues":{"col-1":4}}' }),
    ]);
    await writeCheckpoint(store, await loadSnapshot(store));
    const added = await addedIn(1);
    expect(added!.stats_parsed).toMatchObject({ numRecords: 1n, minValues: { "col-1": 4n } });
    expect(added!.partitionValues_parsed).toEqual({ "col-2": new Date("2024-02-29") });
  });
});
