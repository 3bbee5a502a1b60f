import { expect, it } from "vitest";
import { TextColumn } from "#src/log/textColumn.js";

const textOf = (row: number) => (row % 7 === 0 ? undefined : `{"row":${row},"é":"\u{1F600}"}`);

it("gives back each row, packed or not, in any order", () => {
  const column = new TextColumn();
  const rows = 50_000;
  for (let row = 0; row < rows; row++) column.push(textOf(row));
  expect(column.length).toBe(rows);
  for (let row = 0; row < rows; row++) if (column.get(row) !== textOf(row)) expect(column.get(row)).toBe(textOf(row));
  for (const row of [49_999, 0, 8191, 8192, 40_000, 1]) expect(column.get(row)).toBe(textOf(row));
});

it("goes on after rows were forgotten, packed ones too", () => {
  for (const length of [49_000, 16_384, 8193, 10, 0]) {
    const column = new TextColumn();
    for (let row = 0; row < 50_000; row++) column.push(textOf(row));
    column.cut(length);
    expect(column.length).toBe(length);
    for (let row = length; row < length + 30_000; row++) column.push(textOf(row));
    for (let row = 0; row < length + 30_000; row += 97) expect(column.get(row)).toBe(textOf(row));
  }
});
