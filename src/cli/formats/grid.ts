import { countOf, displayWidth, fitWidth, padWidth } from "../text.js";

export interface GridColumn {
  readonly name: string;
  /** Numbers stand at the right. */
  readonly isRight: boolean;
  /** True where half a value would mislead: such a column is never made narrower. */
  readonly isWhole: boolean;
}

/** Between two columns. */
const GAP = "  ";
/** A column that may be cut isn't made narrower than this. */
const MIN_WIDTH = 12;

/**
 * Lines of a table whose columns stand below each other, in `width` columns of the terminal: the widest are cut first, and those
 * that still find no room are left out, which the last line says. Names and cells are one line each, safe to show.
 */
export function gridLines(
  columns: readonly GridColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const natural = columns.map((column, index) =>
    rows.reduce((most, row) => Math.max(most, displayWidth(row[index]!)), displayWidth(column.name)),
  );
  const least = columns.map((column, index) =>
    column.isWhole ? natural[index]! : Math.min(natural[index]!, MIN_WIDTH),
  );
  const shown = fittingColumns(least, width);
  const widths = shrink(natural.slice(0, shown), least, width - GAP.length * (shown - 1));
  const line = (cells: readonly string[]) =>
    widths
      .map((cellWidth, index) => padWidth(fitWidth(cells[index]!, cellWidth), cellWidth, columns[index]!.isRight))
      .join(GAP)
      .trimEnd();
  const rule = widths.map((cellWidth) => "─".repeat(cellWidth)).join(GAP);
  const lines = [line(columns.map((column) => column.name)), rule, ...rows.map(line)];
  const hidden = columns.slice(shown).map((column) => column.name);
  if (hidden.length > 0)
    lines.push(fitWidth(`… and ${countOf(hidden.length, "more column")}: ${hidden.join(", ")}`, width));
  return lines;
}

/** How many of the first columns find room when all are as narrow as they may be; one at least. */
function fittingColumns(least: readonly number[], width: number): number {
  let used = -GAP.length;
  const tooMany = least.findIndex((columnWidth) => {
    used += columnWidth + GAP.length;
    return used > width;
  });
  return tooMany < 0 ? least.length : Math.max(1, tooMany);
}

/** The widths with the widest ones cut to one common bound, so that all fit. */
function shrink(natural: readonly number[], least: readonly number[], room: number): number[] {
  const cut = (bound: number) => natural.map((width, index) => Math.min(width, Math.max(bound, least[index]!)));
  const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width, 0);
  let bound = Math.max(0, ...natural);
  while (bound > 0 && total(cut(bound)) > room) bound--;
  // A single column may be wider than the terminal even so.
  return natural.length === 1 ? [Math.min(natural[0]!, room)] : cut(bound);
}
