import { afterEach, beforeEach, expect, test } from "vitest";
import { SIDECAR_FOLDER } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { add, metaData, putCommit } from "./build.js";
import { KINDS } from "./checkpointFiles.js";

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
