import { createRequire } from "node:module";
import { join } from "node:path";
import { project } from "./folders.js";
import type { BenchRow } from "./rows.js";

/** Where the peers for Node are installed. */
const nodePeers = join(project, ".cache", "interop", "node");

/** A batch or table of that package's own copy of Apache Arrow. */
export interface LanceArrow {
  readonly numRows: number;
  readonly numCols: number;
  getChild(name: string): Iterable<unknown> | null;
}

/** What of LanceDB the contenders use. */
export interface LanceTable {
  add(data: unknown): Promise<unknown>;
  countRows(): Promise<number>;
  delete(where: string): Promise<unknown>;
  update(options: { where: string; valuesSql: Readonly<Record<string, string>> }): Promise<unknown>;
  mergeInsert(on: string): {
    whenMatchedUpdateAll(): { whenNotMatchedInsertAll(): { execute(data: unknown): Promise<unknown> } };
  };
  optimize(options?: object): Promise<unknown>;
  query(): LanceQuery;
}

export interface LanceQuery {
  where(condition: string): LanceQuery;
  select(columns: readonly string[]): LanceQuery;
  toArrow(): Promise<LanceArrow>;
}

export interface LanceConnection {
  createTable(name: string, data: unknown, options?: { readonly schema: unknown }): Promise<LanceTable>;
  openTable(name: string): Promise<LanceTable>;
}

/** LanceDB and the copy of Apache Arrow that it takes. */
export function lancedb(): {
  readonly connect: (folder: string) => Promise<LanceConnection>;
  readonly tableFromIPC: (bytes: Uint8Array) => unknown;
} {
  const require = createRequire(join(nodePeers, "package.json"));
  return { connect: require("@lancedb/lancedb").connect, tableFromIPC: require("apache-arrow").tableFromIPC };
}

/** Rows as it can take them: it can't tell by itself what a Date is. */
export function lanceRows(rows: readonly BenchRow[]): readonly object[] {
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}
