/** What the harness compares of a table that was read. */
interface ReadTable {
  readonly numRows: number;
  readonly numCols: number;
  getChild(name: string): Iterable<unknown> | null;
}

/** The same of each contender's table, whichever copy of Apache Arrow it comes from. */
export function scanAnswer(table: ReadTable, what: string): unknown {
  if (what === "sum") return { total: [...(table.getChild("total") ?? [])][0] };
  let total = 0;
  for (const value of table.getChild("value") ?? []) total += value as number;
  return { rows: table.numRows, columns: table.numCols, total };
}
