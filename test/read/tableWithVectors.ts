import { type Data, vectorFromArray } from "apache-arrow";
import { makeBatch } from "#src/arrow/column.js";
import { toArrowSchema } from "#src/arrow/schema.js";
import { Table } from "#src/index.js";
import type { AddFile, DeletionVectorDescriptor } from "#src/log/actions.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { encodeParquet } from "#src/parquet/write.js";
import { schemaOf } from "#src/schema/literal.js";
import type { ObjectStore } from "#src/storage/store.js";
import { add, liveFiles, putCommit, remove } from "../log/build.js";

const schema = schemaOf({ id: "long", name: "string", day: "string" });

/** A file of `id` from `first` on, and `name`, null for each third row. */
export interface TestFile {
  readonly first: number;
  readonly rowCount: number;
  readonly day?: string;
  readonly rowGroupRows?: number;
  readonly deletionVector?: DeletionVectorDescriptor;
  /** The statistics' text; undefined for those that the rows have. */
  readonly stats?: string | null;
}

export function nameOf(id: number): string | null {
  return id % 3 === 0 ? null : `n${id}`;
}

/** A table partitioned by day whose version 1 has these files. */
export async function tableOf(store: ObjectStore, files: readonly TestFile[]): Promise<Table> {
  const table = Table.open(store);
  await table.create({ schema, partitionBy: ["day"], properties: { "delta.enableDeletionVectors": "true" } });
  const actions = await Promise.all(files.map((file, i) => putFile(store, `f${i}.parquet`, file)));
  await putCommit(store, 1, ...actions.map((file) => add(file.path, file)));
  return table;
}

async function putFile(store: ObjectStore, path: string, file: TestFile): Promise<AddFile> {
  const { first, rowCount, day = "mon", rowGroupRows, deletionVector } = file;
  const ids = BigInt64Array.from({ length: rowCount }, (_, i) => BigInt(first + i));
  const names = Array.from({ length: rowCount }, (_, i) => nameOf(first + i));
  const arrow = toArrowSchema({ type: "struct", fields: schema.fields.slice(0, 2) });
  const columns = [ids, names].map(
    (values, i): Data => vectorFromArray(values as unknown[], arrow.fields[i]!.type).data[0]!,
  );
  const { bytes } = await encodeParquet([makeBatch(arrow.fields, columns, rowCount)], { rowGroupRows });
  await store.put(path, bytes);
  const own = {
    numRecords: rowCount,
    minValues: { id: first },
    maxValues: { id: first + rowCount - 1 },
    nullCount: { id: 0, name: names.filter((name) => name === null).length },
    tightBounds: deletionVector === undefined,
  };
  const stats = file.stats === undefined ? JSON.stringify(own) : file.stats;
  return {
    path,
    size: bytes.length,
    modificationTime: 1000,
    dataChange: true,
    partitionValues: { day },
    ...(stats !== null && { stats }),
    ...(deletionVector !== undefined && { deletionVector }),
  };
}

/** Commits a version in which a live file has another deletion vector: none where it's left out. */
export async function replaceVector(
  store: ObjectStore,
  path: string,
  deletionVector?: DeletionVectorDescriptor,
): Promise<void> {
  const snapshot = await loadSnapshot(store);
  const live = (await liveFiles(snapshot)) as unknown as AddFile[];
  const { deletionVector: before, ...file } = live.find((candidate) => candidate.path === path)!;
  const partitionValues = { day: "mon" };
  await putCommit(
    store,
    snapshot.version + 1,
    remove(path, { partitionValues, ...(before !== undefined && { deletionVector: before }) }),
    add(path, { ...file, partitionValues, ...(deletionVector !== undefined && { deletionVector }) }),
  );
}
