import { DeltaError, type ErrorCode } from "#src/errors.js";
import { Table } from "#src/index.js";
import { commitPath } from "#src/log/names.js";
import { openStore } from "#src/storage/open.js";

let tables = 0;

/** A table's location that no test has used. */
export function freshLocation(): string {
  return `memory:hostile-${tables++}`;
}

export const PROTOCOL = '{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}';

export function schemaString(...fields: readonly (readonly [name: string, type: unknown])[]): string {
  const columns = fields.map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));
  return JSON.stringify({ type: "struct", fields: columns });
}

export function metaData(more: Record<string, unknown> = {}): string {
  const format = { provider: "parquet", options: {} };
  const plain = {
    id: "i",
    format,
    schemaString: schemaString(["id", "long"]),
    partitionColumns: [],
    configuration: {},
  };
  return JSON.stringify({ metaData: { ...plain, ...more } });
}

export function add(more: Record<string, unknown> = {}): string {
  const plain = { path: "a.parquet", partitionValues: {}, size: 100, modificationTime: 1, dataChange: true };
  return JSON.stringify({ add: { ...plain, ...more } });
}

/** Writes a commit's lines as they are. */
export async function putLines(location: string, version: number, lines: readonly string[]): Promise<void> {
  await openStore(location).put(commitPath(version), new TextEncoder().encode(`${lines.join("\n")}\n`));
}

/** A table whose only commit has these lines behind a protocol. */
export async function tableOf(...lines: readonly string[]): Promise<string> {
  const location = freshLocation();
  await putLines(location, 0, [PROTOCOL, ...lines]);
  return location;
}

/** Everything that can be asked of a table and reads its log. */
const QUESTIONS: Readonly<Record<string, (table: Table) => Promise<unknown>>> = {
  files: (table) => table.files(),
  rows: (table) => table.scan({ limit: 5 }).toArray(),
  count: (table) => table.count(),
  where: (table) => table.scan({ where: { id: { gt: 5n } }, limit: 1 }).count(),
  schema: (table) => table.schema(),
  detail: (table) => table.detail(),
  history: (table) => table.history(),
  append: (table) => table.append([{ id: 1n }]),
  checkpoint: (table) => table.checkpoint(),
};

/** What came of each question: "value", or the error's code. Any error that isn't a DeltaError is thrown. */
export async function askAll(location: string): Promise<Record<string, ErrorCode | "value">> {
  const answers: Record<string, ErrorCode | "value"> = {};
  for (const [name, ask] of Object.entries(QUESTIONS)) {
    try {
      await ask(Table.open(location));
      answers[name] = "value";
    } catch (error) {
      if (!(error instanceof DeltaError)) throw error;
      answers[name] = error.code;
    }
  }
  return answers;
}
