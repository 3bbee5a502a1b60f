import { type DataType, Field, Float32, Float64, Int32, List, Struct } from "apache-arrow";
import { parquetMetadata } from "hyparquet/src/metadata.js";
import { describe, expect, it } from "vitest";
import { encode, vector } from "./fixtures.js";

const ROWS = 30_000;
const inner = (name: string) => new Field(name, new Float64(), true);
const TYPES = {
  whole: new Int32(),
  numbers: new Float64(),
  wide: new Float64(),
  short: new Float32(),
  struct: new Struct([inner("x"), inner("y")]),
  list: new List(inner("element")),
};

/** Whether the footer gives bounds of each leaf, and whether there are bounds of its pages. */
async function boundsOf(isNaNAt: (column: string, row: number) => boolean) {
  const value = (column: string, row: number) => (isNaNAt(column, row) ? Number.NaN : row);
  const columns = {
    whole: (row: number) => row,
    numbers: (row: number) => row,
    wide: (row: number) => value("wide", row),
    short: (row: number) => value("short", row),
    struct: (row: number) => ({ x: row, y: value("struct", row) }),
    list: (row: number) => [row, value("list", row)],
  };
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const vectors = Object.entries(TYPES).map(([name, type]) => {
    const of: (row: number) => unknown = columns[name as keyof typeof columns];
    return [name, vector<DataType>(type, rows.map(of))] as const;
  });
  const bytes = await encode(Object.fromEntries(vectors));
  const [group] = parquetMetadata(bytes.buffer as ArrayBuffer).row_groups;
  return Object.fromEntries(
    group!.columns.map(({ meta_data, column_index_offset }) => [
      meta_data!.path_in_schema.join("."),
      [meta_data!.statistics?.max_value !== undefined, column_index_offset !== undefined],
    ]),
  );
}

const BOTH = [true, true];
const NEITHER = [false, false];

describe("bounds in Parquet files", () => {
  it("are there where all are numbers", async () => {
    expect(new Set(Object.values(await boundsOf(() => false)).map(String))).toEqual(new Set([String(BOTH)]));
  });

  it.each(["wide", "short"])("aren't there for a column with a single NaN, %s", async (name) => {
    const bounds = await boundsOf((column, row) => column === name && row === ROWS - 1);
    expect(bounds[name]).toEqual(NEITHER);
    expect(bounds.whole).toEqual(BOTH);
    expect(bounds.numbers).toEqual(BOTH);
  });

  it.each([
    ["struct", "struct.y"],
    ["list", "list.list.element"],
  ])("aren't there for a NaN inside a %s", async (name, leaf) => {
    const bounds = await boundsOf((column, row) => column === name && row === 17);
    expect(bounds[leaf]).toEqual(NEITHER);
    expect(bounds.wide).toEqual(BOTH);
  });
});
