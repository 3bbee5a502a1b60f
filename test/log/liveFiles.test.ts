import { afterEach, beforeEach, expect, test } from "vitest";
import { checkpointFields } from "#src/log/checkpointSchema.js";
import { classicCheckpointPath, commitPath, SIDECAR_FOLDER } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { add, liveFiles, metaData, putCommit } from "./build.js";
import { KINDS, METADATA_OF_2, parquetOf } from "./checkpointFiles.js";

const PROTOCOL = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["v2Checkpoint", "deletionVectors"],
    writerFeatures: ["v2Checkpoint", "deletionVectors"],
  },
};
const VECTOR = {
  storageType: "u",
  pathOrInlineDv: "ab^-aqEH.-t@S}K{vb[*k^",
  offset: 4,
  sizeInBytes: 40,
  cardinality: 6,
};
const FILES = ["a", "b", "c", "d"].map((path, index) =>
  add(path, {
    size: 100 + index,
    baseRowId: index,
    dataChange: false,
    ...(index % 2 === 1 && { deletionVector: VECTOR }),
  }),
);

let store: ObjectStore;
let warnings: string[];
let restore: () => void;
beforeEach(async () => {
  warnings = [];
  restore = replaceRuntime({ warn: (message) => warnings.push(message) });
  store = memoryStore();
  await putCommit(store, 0, PROTOCOL, metaData());
  await putCommit(store, 1, ...FILES.slice(0, 2));
  await putCommit(store, 2, ...FILES.slice(2));
});
afterEach(() => restore());

/** The footer stays whole, so that the damage shows when the rows are decoded. */
async function damagePages(path: string): Promise<void> {
  const bytes = Buffer.from(await store.get(path));
  const footerLength = bytes.readUInt32LE(bytes.length - 8);
  await store.put(path, bytes.fill(0xff, 4, bytes.length - 8 - footerLength));
}

test.each([
  [["size"]],
  [["deletionVector"]],
  [["size", "deletionVector"]],
  [["baseRowId", "size", "path"]],
  [["deletionVector", "path"]],
  [undefined],
] as const)(
  "damage behind files that were given: the others come from elsewhere, with the columns %j",
  async (columns) => {
    const rowsOf = async () => {
      const rows: string[] = [];
      for await (const batch of (await loadSnapshot(store)).fileBatches({ columns })) {
        for (const row of batch)
          rows.push(JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}` : value)));
      }
      return rows.sort();
    };
    const expected = await rowsOf();
    expect(expected).toHaveLength(4);
    await KINDS["one in JSON with sidecars"]!(store, [PROTOCOL, metaData(), ...FILES]);
    expect(await rowsOf()).toEqual(expected);
    expect(warnings).toEqual([]);
    await damagePages(`${SIDECAR_FOLDER}side 1.parquet`);
    expect(await rowsOf()).toEqual(expected);
    expect(warnings).toHaveLength(1);
  },
);

test.each([
  ["without the column", (name: string) => name !== "size"],
  ["with nulls in it", () => true],
])("files without a size aren't empty ones: a checkpoint %s is passed over", async (_, isKept) => {
  const fields = checkpointFields().map((column) => {
    if (column.name !== "add" || typeof column.type === "string" || column.type.type !== "struct") return column;
    return { ...column, type: { ...column.type, fields: column.type.fields.filter(({ name }) => isKept(name)) } };
  });
  const bare = FILES.map((action) => ("add" in action ? { add: { ...action.add, size: null } } : action));
  const path = classicCheckpointPath(2);
  await store.put(path, await parquetOf([METADATA_OF_2, PROTOCOL, metaData(), ...bare], fields));
  const sizes = async () => (await liveFiles(await loadSnapshot(store))).map(({ size }) => size);
  expect(await sizes()).toEqual([100, 101, 102, 103]);
  expect(warnings).toHaveLength(1);
  for (const version of [0, 1, 2]) await store.delete(commitPath(version));
  const error = await expectCode("DELTA_PARQUET_UNREADABLE", sizes);
  expect(error.data.path).toBe(path);
});
