import { type Data, Field, type RecordBatch, Struct } from "apache-arrow";
import { makeBatch, retype } from "../arrow/column.js";
import { sliceBatch } from "../arrow/take.js";
import { isGroup, leavesOf, type ParquetNode } from "./fileSchema.js";

interface Strand {
  readonly firstRow: number;
  readonly endRow: number;
  readonly leafCount: number;
  readonly batch: RecordBatch;
}

/** Makes batches of all columns from batches that hold some of the columns each, and different rows. */
export class Weaver {
  readonly #root: ParquetNode;
  readonly #leafCount: number;
  #strands: Strand[] = [];
  #row = 0;

  constructor(root: ParquetNode) {
    this.#root = root;
    this.#leafCount = leavesOf(root).length;
  }

  /** Takes batches of `leafCount` columns, whose rows follow each other from `firstRow` on. */
  add(batches: readonly RecordBatch[], leafCount: number, firstRow: number): void {
    let row = firstRow;
    for (const batch of batches) {
      if (batch.numRows === 0) continue;
      this.#strands.push({ firstRow: row, endRow: row + batch.numRows, leafCount, batch });
      row += batch.numRows;
    }
  }

  /** The next rows of which all columns are there, without a copy of any. */
  *ready(): Generator<RecordBatch> {
    for (;;) {
      const row = this.#row;
      const here = this.#strands.filter((strand) => strand.firstRow <= row && row < strand.endRow);
      if (here.reduce((sum, strand) => sum + strand.leafCount, 0) < this.#leafCount) return;
      this.#row = Math.min(...here.map(({ endRow }) => endRow));
      this.#strands = this.#strands.filter((strand) => strand.endRow > this.#row);
      const parts = here.map(({ batch, firstRow }) =>
        batch.numRows === this.#row - row ? batch : sliceBatch(batch, row - firstRow, this.#row - firstRow),
      );
      yield parts.length === 1 ? parts[0]! : weave(this.#root, parts, this.#row - row);
    }
  }
}

interface Columns {
  readonly fields: readonly Field[];
  readonly columns: readonly Data[];
}

function weave(root: ParquetNode, parts: readonly RecordBatch[], rowCount: number): RecordBatch {
  const { fields, columns } = weaveColumns(
    root,
    parts.map(({ schema, data }) => ({ fields: schema.fields, columns: data.children })),
  );
  return makeBatch(fields, columns, rowCount);
}

/** The columns in the file's order; a struct of which several parts hold members gets the members of all. */
function weaveColumns(node: ParquetNode, parts: readonly Columns[]): Columns {
  const woven = node.children.flatMap((child) => {
    const found = parts.flatMap(({ fields, columns }) => {
      const at = fields.findIndex(({ name }) => name === child.element.name);
      return at < 0 ? [] : [{ field: fields[at]!, data: columns[at]! }];
    });
    const [first] = found;
    if (first === undefined || found.length === 1 || !isGroup(child.element)) return first ?? [];
    const inner = weaveColumns(
      child,
      found.map(({ data }) => ({ fields: (data.type as Struct).children, columns: data.children })),
    );
    const type = new Struct(inner.fields.slice());
    // Which structs are null, each column of theirs knows.
    const data = retype(first.data, type, inner.columns);
    return { field: new Field(first.field.name, type, first.field.nullable, first.field.metadata), data };
  });
  return { fields: woven.map(({ field }) => field), columns: woven.map(({ data }) => data) };
}
