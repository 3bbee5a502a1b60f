import { makeData, RecordBatch } from "apache-arrow";
import type { Footer } from "./footer.js";
import type { RowRange } from "./readRows.js";
import type { Run } from "./runs.js";

/** Neighbouring row groups, or some rows of one. */
export interface Stretch {
  readonly rowGroups: readonly number[];
  /** Counted from the row group's begin. */
  readonly rows?: RowRange;
}

/** A run, or some of its rows. */
export interface PartialRun extends Run {
  /** The first row wanted. */
  readonly offset?: number;
  /** How many of its rows are wanted, of 1. */
  readonly share?: number;
}

/** Rows that are being decoded. */
export interface Step {
  readonly batches: Promise<readonly RecordBatch[]>;
  /** About the size of their Arrow buffers. */
  readonly arrowBytes: number;
}

/** The row groups, whole and in part, that hold a range of a file's rows. */
export function stretchesOf({ rowGroups }: Footer, { start, end }: RowRange): Stretch[] {
  const stretches: { rowGroups: number[]; rows?: RowRange }[] = [];
  let first = 0;
  for (const [group, { rowCount }] of rowGroups.entries()) {
    const rows = { start: Math.max(start - first, 0), end: Math.min(end - first, rowCount) };
    first += rowCount;
    if (rows.start >= rows.end) continue;
    const last = stretches.at(-1);
    if (rows.end - rows.start < rowCount) stretches.push({ rowGroups: [group], rows });
    else if (last === undefined || last.rows !== undefined) stretches.push({ rowGroups: [group] });
    else last.rowGroups.push(group);
  }
  return stretches;
}

/** Some rows of a row group that is a run by itself. */
export function partOf(run: Run, { start, end }: RowRange): PartialRun {
  const share = (end - start) / run.rowCount;
  const { rowGroups, arrowBytes } = run;
  return { rowGroups, rowCount: end - start, arrowBytes: arrowBytes * share, offset: start, share };
}

/** Of batches that come one after the other, what lies in a range of their rows. */
export function* cutBatches(steps: Iterable<Step>, { start, end }: RowRange): Generator<Step, undefined> {
  let before: Promise<number> = Promise.resolve(0);
  for (const { batches: coming, arrowBytes } of steps) {
    const cut = Promise.all([coming, before]).then(([batches, first]) => {
      let at = first;
      const kept = batches.flatMap((batch) => {
        const [from, to] = [Math.max(start - at, 0), Math.min(end - at, batch.numRows)];
        at += batch.numRows;
        return from < to ? [sliced(batch, from, to)] : [];
      });
      return { kept, at };
    });
    before = cut.then(({ at }) => at);
    before.catch(() => undefined);
    yield { batches: cut.then(({ kept }) => kept), arrowBytes };
  }
}

function sliced(batch: RecordBatch, from: number, to: number): RecordBatch {
  if (to - from === batch.numRows) return batch;
  const { type, children } = batch.data;
  const length = to - from;
  return new RecordBatch(
    batch.schema,
    makeData({ type, length, nullCount: 0, children: children.map((child) => child.slice(from, length)) }),
  );
}
