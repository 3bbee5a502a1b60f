import type { Row } from "../arrow/rows.js";
import { DeltaError } from "../errors.js";
import { type SchemaOption, schemaFrom } from "../ops/schemaOption.js";
import type { StructType } from "../schema/types.js";
import { eventTimeMs } from "./stateValue.js";
import { fieldOf, keepRows, rowsOf, type Step } from "./step.js";

/** Makes another row of each row. `option` is the schema of the new rows. */
export function mapStep(map: (row: Row) => object, option: SchemaOption | undefined): Step {
  const schema = option === undefined ? undefined : schemaFrom(option);
  return {
    apply: (flow) => ({
      schema,
      chunks: (async function* () {
        for await (const chunk of flow.chunks) yield rowsOf(chunk, flow.schema).map((row) => map(row as Row));
      })(),
    }),
  };
}

/** Keeps the rows for which `keep` is true. */
export function filterStep(keep: (row: Row) => boolean): Step {
  return {
    apply: (flow) => ({
      schema: flow.schema,
      chunks: (async function* () {
        for await (const chunk of flow.chunks) yield keepRows(chunk, rowsOf(chunk, flow.schema), keep);
      })(),
    }),
  };
}

/** Names the column with the events' time, and takes the newest one down. */
export function watermarkStep(column: string, delayMs: number): Step {
  return {
    apply: (flow, batch) => {
      if (flow.schema !== undefined) checkTime(flow.schema, column);
      batch.eventTime = { column, delayMs };
      return {
        schema: flow.schema,
        chunks: (async function* () {
          for await (const chunk of flow.chunks) {
            for (const row of rowsOf(chunk, flow.schema, [column])) {
              const ms = eventTimeMs((row as Row)[column], column);
              if (ms !== undefined && ms > batch.maxEventMs) batch.maxEventMs = ms;
            }
            yield chunk;
          }
        })(),
      };
    },
  };
}

function checkTime(schema: StructType, column: string): void {
  const { type } = fieldOf(schema, column);
  if (type === "timestamp" || type === "timestamp_ntz" || type === "date") return;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `Column "${column}" holds no time, which a watermark needs.`, {
    column,
  });
}
