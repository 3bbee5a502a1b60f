import type { Action, AddFile, DeletionVectorDescriptor, RemoveFile } from "./actions.js";
import { NumberColumn } from "./numberColumn.js";
import { canonicalPath } from "./paths.js";
import { TextColumn } from "./textColumn.js";

type StringMap = Readonly<Record<string, string | null>>;

/** A column that most tables leave empty: it takes no room until its first value. */
class SparseColumn<T> {
  readonly #values: (T | undefined)[] = [];

  get(row: number): T | undefined {
    return this.#values[row];
  }

  set(row: number, value: T | null | undefined): void {
    if (value === undefined || value === null) return;
    while (this.#values.length < row) this.#values.push(undefined);
    this.#values.push(value);
  }

  cut(length: number): void {
    this.#values.length = Math.min(this.#values.length, length);
  }
}

/**
 * What the commits after a checkpoint say of files, as columns: a row for each `add` and `remove`, in the log's order.
 *
 * Rows are only ever appended, so all snapshots of a table share one tail: the one of version v sees a row exactly if
 * `addedAt[row] <= v < supersededAt[row]`, where a row is superseded by the next action on the same logical file.
 * Advancing by a commit costs the actions of that commit, whatever the size of the table.
 */
export class Tail {
  /** The version of the last commit taken in. */
  version: number;
  length = 0;

  readonly addedAt = new NumberColumn(Float64Array);
  readonly supersededAt = new NumberColumn(Float64Array);
  readonly isAdd: boolean[] = [];

  readonly path: string[] = [];
  /** NaN for none. */
  readonly size = new NumberColumn(Float64Array);
  /** `modificationTime` of an add, `deletionTimestamp` of a remove; NaN for none. */
  readonly time = new NumberColumn(Float64Array);
  readonly dataChange: boolean[] = [];
  readonly stats = new TextColumn();
  readonly tags = new SparseColumn<StringMap>();
  readonly deletionVector = new SparseColumn<DeletionVectorDescriptor>();
  readonly baseRowId = new SparseColumn<number>();
  readonly defaultRowCommitVersion = new SparseColumn<number>();
  readonly clusteringProvider = new SparseColumn<string>();
  readonly extendedFileMetadata = new SparseColumn<boolean>();

  /** Each row's place in {@link partitions}; -1 for a remove that doesn't say. */
  readonly partition = new NumberColumn(Int32Array);
  /** The different partition values. */
  readonly partitions: StringMap[] = [];
  readonly #partitionIndex = new Map<string, number>();

  /** The newest row of each logical file. */
  readonly #newest = new Map<string, number>();
  /** For each row, the row before it of the same logical file; -1 for none. */
  readonly previous = new NumberColumn(Int32Array);

  /** @param version of the checkpoint that the tail follows; -1 where the log starts. */
  constructor(version: number) {
    this.version = version;
  }

  /** A tail of its own with what the snapshot of `version` sees, to go on from without anybody else noticing. */
  fork(version: number): Tail {
    const fork = new Tail(version);
    for (let row = 0; row < this.length; row++) {
      if (this.addedAt.get(row) > version) break;
      fork.take(this.addedAt.get(row), this.#actionOf(row));
    }
    return fork;
  }

  /** Takes in the file actions of the next commit. A version that was taken in before changes nothing. */
  apply(version: number, actions: Iterable<Action>): void {
    if (version <= this.version) return;
    for (const action of actions) this.take(version, action);
    this.version = version;
  }

  /** Takes in one action of the commit after {@link version}; once it has all of them, `version` is to be set to it. */
  take(version: number, action: Action): void {
    if ("add" in action) this.#add(version, action.add);
    else if ("remove" in action) this.#remove(version, action.remove);
  }

  /** Forgets what was taken in of a commit after {@link version}, which turned out to be damaged midway. */
  forgetTaken(): void {
    const after = this.firstAfter(this.version);
    if (after < this.length) this.#cut(after);
  }

  #add(version: number, add: AddFile): void {
    const row = this.#append(version, add, true);
    this.time.push(add.modificationTime ?? Number.NaN);
    this.stats.push(add.stats ?? undefined);
    this.tags.set(row, add.tags);
    this.clusteringProvider.set(row, add.clusteringProvider);
  }

  /** Tombstones have neither statistics nor tags (PROTOCOL.md, Checkpoints). */
  #remove(version: number, remove: RemoveFile): void {
    const row = this.#append(version, remove, false);
    this.time.push(remove.deletionTimestamp ?? Number.NaN);
    this.stats.push(undefined);
    this.extendedFileMetadata.set(row, remove.extendedFileMetadata);
  }

  /** The rows that the snapshot of `version` sees. */
  *rows(version: number, isAdd: boolean): Generator<number> {
    for (let row = 0; row < this.length; row++) {
      if (this.isAdd[row] === isAdd && this.addedAt.get(row) <= version && version < this.supersededAt.get(row))
        yield row;
    }
  }

  /** The first row of the commits after `version`. */
  firstAfter(version: number): number {
    let row = this.length;
    while (row > 0 && this.addedAt.get(row - 1) > version) row--;
    return row;
  }

  /** Whether a commit up to `version` acted on the logical file, so that what the checkpoint says of it is outdated. */
  hasTouched(key: string, version: number): boolean {
    let row = this.#newest.get(key) ?? -1;
    while (row >= 0 && this.addedAt.get(row) > version) row = this.previous.get(row);
    return row >= 0;
  }

  /** What identifies the logical file that a row is of: see {@link fileKey}. */
  key(row: number): string {
    return fileKey(this.path[row]!, this.deletionVector.get(row));
  }

  /** The keys of all logical files that the tail's commits acted on. */
  keys(): Iterable<string> {
    return this.#newest.keys();
  }

  #actionOf(row: number): Action {
    const [size, time, partition] = [this.size.get(row), this.time.get(row), this.partition.get(row)];
    const file = {
      path: this.path[row]!,
      dataChange: this.dataChange[row]!,
      deletionVector: this.deletionVector.get(row),
      baseRowId: this.baseRowId.get(row),
      defaultRowCommitVersion: this.defaultRowCommitVersion.get(row),
    };
    const partitionValues = this.partitions[partition];
    if (!this.isAdd[row]) {
      const remove = { ...file, extendedFileMetadata: this.extendedFileMetadata.get(row), partitionValues };
      return { remove: { ...remove, size: numberOf(size), deletionTimestamp: numberOf(time) } };
    }
    const add = {
      ...file,
      tags: this.tags.get(row),
      stats: this.stats.get(row),
      partitionValues: partitionValues ?? {},
    };
    return { add: { ...add, size, modificationTime: time, clusteringProvider: this.clusteringProvider.get(row) } };
  }

  #append(version: number, file: AddFile | RemoveFile, isAdd: boolean): number {
    const row = this.length++;
    const key = fileKey(file.path, file.deletionVector ?? undefined);
    const before = this.#newest.get(key);
    if (before !== undefined) this.supersededAt.set(before, version);
    this.#newest.set(key, row);
    this.previous.push(before ?? -1);
    this.addedAt.push(version);
    this.supersededAt.push(Number.POSITIVE_INFINITY);
    this.isAdd.push(isAdd);
    this.path.push(file.path);
    this.size.push(file.size ?? Number.NaN);
    this.dataChange.push(file.dataChange !== false);
    this.partition.push(this.#internPartition(file.partitionValues ?? (isAdd ? {} : undefined)));
    this.deletionVector.set(row, file.deletionVector);
    this.baseRowId.set(row, file.baseRowId);
    this.defaultRowCommitVersion.set(row, file.defaultRowCommitVersion);
    return row;
  }

  #cut(length: number): void {
    this.length = length;
    const { addedAt, supersededAt, isAdd, path, size, time, dataChange, partition } = this;
    for (const column of [addedAt, supersededAt, isAdd, path, size, time, dataChange, partition, this.previous]) {
      column.length = length;
    }
    this.stats.cut(length);
    const { tags, deletionVector, baseRowId, defaultRowCommitVersion, clusteringProvider, extendedFileMetadata } = this;
    for (const column of [tags, deletionVector, baseRowId, defaultRowCommitVersion]) column.cut(length);
    for (const column of [clusteringProvider, extendedFileMetadata]) column.cut(length);
    this.#newest.clear();
    for (let row = 0; row < length; row++) {
      if (supersededAt.get(row) > this.version) supersededAt.set(row, Number.POSITIVE_INFINITY);
      this.#newest.set(this.key(row), row);
    }
  }

  #internPartition(values: StringMap | undefined): number {
    if (values === undefined) return -1;
    const text = isEmpty(values) ? "{}" : JSON.stringify(values);
    let index = this.#partitionIndex.get(text);
    if (index === undefined) {
      index = this.partitions.push(values) - 1;
      this.#partitionIndex.set(text, index);
    }
    return index;
  }
}

function numberOf(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

function isEmpty(values: StringMap): boolean {
  for (const _ in values) return false;
  return true;
}

/** What identifies a logical file: its path in canonical form and its deletion vector (PROTOCOL.md, Add File and Remove File). */
export function fileKey(path: string, deletionVector?: DeletionVectorDescriptor): string {
  const canonical = canonicalPath(path);
  return deletionVector === undefined ? canonical : `${canonical}\n${deletionVectorId(deletionVector)}`;
}

/** PROTOCOL.md, Deletion Vectors, Derived Fields: `uniqueId`. */
function deletionVectorId(vector: Pick<DeletionVectorDescriptor, "storageType" | "pathOrInlineDv" | "offset">) {
  const { storageType, pathOrInlineDv, offset } = vector;
  return `${storageType}${pathOrInlineDv}${offset === undefined || offset === null ? "" : `@${offset}`}`;
}
