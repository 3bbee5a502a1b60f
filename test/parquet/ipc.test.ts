import assert from "node:assert/strict";
import { tableFromIPC } from "apache-arrow";
import { it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { rowReader } from "#src/arrow/rows.js";
import { sliceBatch } from "#src/arrow/take.js";
import { ipcBytes } from "#src/parquet/ipc.js";
import { schemas, values } from "../arrow/arbitrary.js";
import fc from "../fastCheck.js";

const tables = schemas.chain((schema) =>
  fc.record({
    schema: fc.constant(schema),
    rows: fc.array(values(schema, false) as fc.Arbitrary<object>, { maxLength: 20 }),
    cuts: fc.array(fc.nat(20), { maxLength: 3 }),
  }),
);

it("gives any batches back, slices and empty ones among them", () => {
  fc.assert(
    fc.property(tables, ({ schema, rows, cuts }) => {
      const whole = buildBatch(schema, rows, 0);
      const borders = [0, ...cuts.map((cut) => Math.min(cut, rows.length)).sort((a, b) => a - b), rows.length];
      const slices = borders.slice(1).map((end, i) => sliceBatch(whole, borders[i], end));
      for (const batches of [[whole], slices, [whole, whole]]) {
        const { batches: read } = tableFromIPC(ipcBytes(batches));
        const expected = batches.flatMap(rowReader(schema));
        assert.deepEqual(
          read.flatMap((batch) => (batch.numRows === 0 ? [] : rowReader(schema)(batch))),
          expected,
        );
      }
    }),
    { numRuns: 300 },
  );
});
