import assert from "node:assert/strict";
import { Table, tableFromIPC, tableToIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { batchByteLength } from "#src/arrow/size.js";
import { sliceBatch, takeRows } from "#src/arrow/take.js";
import fc from "../fastCheck.js";
import { schemas, tables } from "./arbitrary.js";

describe("rows to Arrow and back", () => {
  test("any rows of any schema come back as they were", () => {
    fc.assert(
      fc.property(tables(schemas), ({ schema, rows }) => {
        const batch = buildBatch(schema, rows, 0);
        expect(batch.numRows).toBe(rows.length);
        assert.deepEqual(rowReader(schema)(batch), rows);
      }),
      { numRuns: 300 },
    );
  });

  test("slices read as the rows that they are of, also through Arrow's IPC format", () => {
    fc.assert(
      fc.property(tables(schemas), fc.nat(20), fc.nat(20), ({ schema, rows }, from, count) => {
        const read = rowReader(schema);
        const start = Math.min(from, rows.length);
        const slice = sliceBatch(buildBatch(schema, rows, 0), start, start + count);
        const expected = rows.slice(start, start + count);
        assert.deepEqual(read(slice), expected);
        const again = tableFromIPC(tableToIPC(new Table([slice])));
        const written = again.batches.flatMap((batch) => read(conformBatch(batch, schema)));
        assert.deepEqual(written, expected);
        const twice = sliceBatch(slice, 1, 3);
        assert.deepEqual(read(twice), expected.slice(1, 3));
      }),
      { numRuns: 300 },
    );
  });

  test("taking rows of a slice is indexing", () => {
    fc.assert(
      fc.property(
        tables(schemas),
        fc.nat(3),
        fc.array(fc.nat(), { maxLength: 30 }),
        ({ schema, rows }, from, picks) => {
          const slice = sliceBatch(buildBatch(schema, rows, 0), from, rows.length);
          const sliced = rows.slice(from);
          const indices = sliced.length === 0 ? [] : picks.map((pick) => pick % sliced.length);
          const taken = takeRows(slice, Uint32Array.from(indices));
          const expected = indices.map((index) => sliced[index]);
          assert.deepEqual(rowReader(schema)(taken), expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("slices hold their rows, and no more than their share of the bytes", () => {
    fc.assert(
      fc.property(
        tables(schemas, 30),
        fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
        ({ schema, rows }, cuts) => {
          const whole = buildBatch(schema, rows, 0);
          const borders = [0, ...cuts.map((cut) => Math.min(cut, rows.length)).sort((a, b) => a - b), rows.length];
          const parts = borders.slice(1).map((end, i) => sliceBatch(whole, borders[i], end));
          assert.deepEqual(parts.flatMap(rowReader(schema)), rows);
          for (const part of parts) expect(batchByteLength(part)).toBeLessThanOrEqual(batchByteLength(whole));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("many rows take the compiled path, and it gives the same", () => {
  fc.assert(
    fc.property(tables(schemas, 3), ({ schema, rows }) => {
      const many = rows.length === 0 ? [] : Array.from({ length: 1200 }, (_, i) => rows[i % rows.length]);
      assert.deepEqual(rowReader(schema)(buildBatch(schema, many, 0)), many);
    }),
    { numRuns: 40 },
  );
});
