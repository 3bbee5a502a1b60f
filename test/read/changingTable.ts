import { buildBatch } from "#src/arrow/build.js";
import { Table } from "#src/index.js";
import type { Action, AddFile, DeletionVectorDescriptor } from "#src/log/actions.js";
import { encodeParquet } from "#src/parquet/write.js";
import { schemaOf } from "#src/schema/literal.js";
import type { ObjectStore } from "#src/storage/store.js";
import { putCommit } from "../log/build.js";
import { inlineVector } from "../log/deletionVectorBytes.js";

export interface TestRow {
  readonly id: number;
  readonly value: number;
}

/** A change as these tests compare it. */
export interface TestChange extends TestRow {
  readonly type: string;
  readonly part: string;
}

interface TestFile {
  readonly add: AddFile;
  readonly rows: readonly TestRow[];
  readonly removed: ReadonlySet<number>;
  readonly part: string;
}

const schema = schemaOf({ id: "long", value: "integer", part: "string" });
const inFile = schemaOf({ id: "long", value: "integer" });
const withType = schemaOf({ id: "long", value: "integer", _change_type: "string" });

export const partOf = (id: number) => (id % 3 === 0 ? "a" : "b");

/** A table partitioned by `part`, changed by commits as other engines make them; it knows by itself what each changes. */
export class ChangingTable {
  readonly store: ObjectStore;
  readonly table: Table;
  /** What each version changed, the first one included. */
  readonly changes: TestChange[][] = [[]];
  #files: TestFile[] = [];
  #count = 0;

  private constructor(store: ObjectStore) {
    this.store = store;
    this.table = Table.open(store);
  }

  static async create(store: ObjectStore, properties: Record<string, string>): Promise<ChangingTable> {
    const own = new ChangingTable(store);
    const all = { "delta.enableDeletionVectors": "true", ...properties };
    await own.table.create({ schema, partitionBy: ["part"], properties: all });
    return own;
  }

  get version(): number {
    return this.changes.length - 1;
  }

  get live(): TestRow[] {
    return this.#files.flatMap(liveOf);
  }

  /** Adds a file for each partition of the rows. */
  async insert(rows: readonly TestRow[]): Promise<void> {
    const files = await this.#write(rows);
    await this.#commit(
      files.map(({ add }) => ({ add })),
      changed("insert", rows),
      [...this.#files, ...files],
    );
  }

  /** Takes rows away, or gives them again, by deletion vectors; files without rows are removed. */
  async setRemoved(isRemoved: (id: number) => boolean): Promise<void> {
    const actions: Action[] = [];
    const changes: TestChange[] = [];
    const files: TestFile[] = [];
    for (const file of this.#files) {
      const positions = file.rows.flatMap(({ id }, position) => (isRemoved(id) ? [position] : []));
      const removed = new Set(positions);
      changes.push(
        ...changed(
          "delete",
          file.rows.filter((_, at) => removed.has(at) && !file.removed.has(at)),
        ),
        ...changed(
          "insert",
          file.rows.filter((_, at) => !removed.has(at) && file.removed.has(at)),
        ),
      );
      const { deletionVector: _, ...plain } = file.add;
      const vector: DeletionVectorDescriptor | undefined = positions.length === 0 ? undefined : inlineVector(positions);
      const add = { ...plain, ...(vector !== undefined && { deletionVector: vector }) };
      if (removed.size === file.rows.length) actions.push(removeOf(file.add));
      // Spark writes the added file before the removed one, or after it.
      else if (this.version % 2 === 0) actions.push({ add }, removeOf(file.add));
      else actions.push(removeOf(file.add), { add });
      if (removed.size < file.rows.length) files.push({ ...file, add, removed });
    }
    await this.#commit(actions, changes, files);
  }

  /** Removes whole files. */
  async removeFiles(isRemoved: (file: number) => boolean): Promise<void> {
    const gone = this.#files.filter((_, i) => isRemoved(i));
    await this.#commit(
      gone.map(({ add }) => removeOf(add)),
      changed("delete", gone.flatMap(liveOf)),
      this.#files.filter((_, i) => !isRemoved(i)),
    );
  }

  async overwrite(rows: readonly TestRow[]): Promise<void> {
    const files = await this.#write(rows);
    const before = this.live;
    await this.#commit(
      [...files.map(({ add }) => ({ add })), ...this.#files.map(({ add }) => removeOf(add))],
      [...changed("delete", before), ...changed("insert", rows)],
      files,
    );
  }

  /** Writes all files anew; undefined deletes a row. With change files unless told otherwise: none where nothing changed. */
  async rewrite(change: (row: TestRow) => TestRow | undefined, withFeed = true): Promise<void> {
    const changes: TestChange[] = [];
    const after: TestRow[] = [];
    for (const row of this.live) {
      const next = change(row);
      if (next === undefined) changes.push(...changed("delete", [row]));
      else if (next.value !== row.value) {
        changes.push(...changed("update_preimage", [row]), ...changed("update_postimage", [next]));
      }
      if (next !== undefined) after.push(next);
    }
    const files = await this.#write(after);
    const actions: Action[] = [...this.#files.map(({ add }) => removeOf(add)), ...files.map(({ add }) => ({ add }))];
    for (const part of ["a", "b"]) {
      const rows = changes.filter((row) => row.part === part);
      if (rows.length === 0 || !withFeed) continue;
      const path = `_change_data/cdc-${this.#count++}.parquet`;
      const stored = rows.map(({ id, value, type }) => ({ id, value, _change_type: type }));
      const { bytes } = await encodeParquet([buildBatch(withType, stored, 0)]);
      await this.store.put(path, bytes);
      actions.push({ cdc: { path, partitionValues: { part }, size: bytes.length, dataChange: false } });
    }
    if (changes.length === 0) actions.push(emptyMerge);
    await this.#commit(actions, changes, files);
  }

  async optimize(): Promise<void> {
    const files = await this.#write(this.live);
    const actions = [...this.#files.map(({ add }) => removeOf(add, false)), ...files.map(({ add }) => ({ add }))];
    await this.#commit(
      actions.map((action) => ("add" in action ? { add: { ...action.add, dataChange: false } } : action)),
      [],
      files,
    );
  }

  /** Any commit. */
  async commit(actions: Action[], changes: TestChange[] = []): Promise<void> {
    await this.#commit(actions, changes, this.#files);
  }

  async #commit(actions: Action[], changes: TestChange[], files: TestFile[]): Promise<void> {
    await putCommit(this.store, this.version + 1, ...actions);
    this.changes.push(changes);
    this.#files = files;
  }

  async #write(rows: readonly TestRow[]): Promise<TestFile[]> {
    const files: TestFile[] = [];
    for (const part of ["a", "b"]) {
      const own = rows.filter(({ id }) => partOf(id) === part);
      if (own.length === 0) continue;
      const path = `part=${part}/f${this.#count++}.parquet`;
      const { bytes } = await encodeParquet([buildBatch(inFile, own, 0)], { rowGroupRows: 3 });
      await this.store.put(path, bytes);
      const ids = own.map(({ id }) => id);
      const bounds = { minValues: { id: Math.min(...ids) }, maxValues: { id: Math.max(...ids) } };
      const stats = JSON.stringify({ numRecords: own.length, ...bounds, nullCount: { id: 0, value: 0 } });
      const add = { path, partitionValues: { part }, size: bytes.length, modificationTime: 1, dataChange: true, stats };
      files.push({ add, rows: own, removed: new Set(), part });
    }
    return files;
  }
}

const nothing = { numTargetRowsInserted: "0", numTargetRowsUpdated: "0", numTargetRowsDeleted: "0" };
const emptyMerge: Action = { commitInfo: { timestamp: 1, operation: "MERGE", operationMetrics: nothing } };

function liveOf({ rows, removed }: TestFile): TestRow[] {
  return rows.filter((_, position) => !removed.has(position));
}

function changed(type: string, rows: readonly TestRow[]): TestChange[] {
  return rows.map(({ id, value }) => ({ type, id, value, part: partOf(id) }));
}

function removeOf({ path, partitionValues, size, deletionVector }: AddFile, dataChange = true): Action {
  const vector = deletionVector === undefined ? {} : { deletionVector };
  return { remove: { path, partitionValues, size, dataChange, extendedFileMetadata: true, ...vector } };
}

/** What a table says changed, sorted as {@link sorted} does. */
export async function changesOf(
  table: Table,
  options: Parameters<Table["changes"]>[0],
): Promise<(TestChange & { readonly version: number })[]> {
  const rows = await table.changes(options).toArray();
  return rows.map((row) => ({
    version: Number(row._commit_version),
    type: row._change_type,
    id: Number(row.id),
    value: row.value as number,
    part: row.part as string,
  }));
}

/** What the table itself knows of its changes, from one version to another. */
export function expectedChanges({ changes }: ChangingTable, from: number, to: number) {
  return sorted(
    changes
      .slice(0, to + 1)
      .flatMap((list, version) => (version < from ? [] : list.map((change) => ({ version, ...change })))),
  );
}

/** In one order, whatever a commit's is. */
export function sorted<T extends object>(rows: readonly T[]): T[] {
  const key = (row: T) => JSON.stringify(row, Object.keys(row).sort());
  return [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
