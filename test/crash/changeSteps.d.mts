import type { Table } from "#src/index.js";

interface Kind {
  readonly properties: Readonly<Record<string, string>>;
  readonly partitionBy: readonly string[];
}

export declare const STEPS: number;
export declare function takeStep(table: Table, step: number): Promise<void>;
export declare function createTable(table: Table, kind: Kind): Promise<unknown>;
