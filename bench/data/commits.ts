import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const TIME = Date.UTC(2026, 0, 1);

interface Added {
  readonly path: string;
  readonly size: number;
}

/**
 * A table of `count` JSON commits as Spark writes them, without a checkpoint: each adds one or two files with
 * statistics, every tenth removes an older one. Data files are not made. The same bytes at each call.
 */
export async function makeCommits(folder: string, count: number): Promise<void> {
  const log = join(folder, "_delta_log");
  await mkdir(log, { recursive: true });
  const added: Added[] = [];
  for (let version = 0; version < count; version++) {
    const actions: object[] = [commitInfo(version)];
    if (version === 0) actions.push(protocol, metaData);
    for (let n = 0; n <= version % 2; n++) {
      const file = addFile(version, n);
      added.push({ path: file.path, size: file.size });
      actions.push({ add: file });
    }
    if (version % 10 === 9) actions.push({ remove: removeFile(added[Math.floor(added.length / 3)]!, version) });
    const name = `${String(version).padStart(20, "0")}.json`;
    await writeFile(join(log, name), actions.map((action) => `${JSON.stringify(action)}\n`).join(""));
  }
}

const protocol = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } };

const columns = [
  ["id", "long"],
  ["at", "timestamp"],
  ["name", "string"],
  ["value", "double"],
] as const;

const metaData = {
  metaData: {
    id: uuid("table"),
    format: { provider: "parquet", options: {} },
    schemaString: JSON.stringify({
      type: "struct",
      fields: columns.map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
    }),
    partitionColumns: [],
    configuration: {},
    createdTime: TIME,
  },
};

function commitInfo(version: number): object {
  return {
    commitInfo: {
      timestamp: TIME + version * 1000,
      operation: "WRITE",
      operationParameters: { mode: "Append", partitionBy: "[]" },
      ...(version > 0 && { readVersion: version - 1 }),
      isolationLevel: "Serializable",
      isBlindAppend: true,
      operationMetrics: { numFiles: String((version % 2) + 1), numOutputRows: "1000", numOutputBytes: "51234" },
      engineInfo: "Apache-Spark/4.0.1 Delta-Lake/4.0.0",
      txnId: uuid(`txn ${version}`),
    },
  };
}

function addFile(version: number, n: number) {
  const first = (version * 2 + n) * 1000;
  const day = new Date(TIME + version * 60_000).toISOString();
  return {
    path: `part-${String(n).padStart(5, "0")}-${uuid(`file ${version} ${n}`)}-c000.snappy.parquet`,
    partitionValues: {},
    size: 50_000 + (first % 7919),
    modificationTime: TIME + version * 1000,
    dataChange: true,
    stats: JSON.stringify({
      numRecords: 1000,
      minValues: { id: first, at: day, name: `name ${first}`, value: first / 8 },
      maxValues: { id: first + 999, at: day, name: `name ${first + 999}`, value: (first + 999) / 8 },
      nullCount: { id: 0, at: 0, name: version % 5, value: 0 },
    }),
  };
}

function removeFile(file: Added, version: number): object {
  return {
    path: file.path,
    deletionTimestamp: TIME + version * 1000,
    dataChange: true,
    extendedFileMetadata: true,
    partitionValues: {},
    size: file.size,
  };
}

/** A UUID that follows from its seed. */
function uuid(seed: string): string {
  const hex = createHash("sha256").update(seed).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
