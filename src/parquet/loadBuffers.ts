import { type Field, makeData, RecordBatch, RecordBatchReader, Struct } from "apache-arrow";
import { VectorLoader } from "apache-arrow/visitor/vectorloader";
import type { DecodedBuffers } from "./exported.js";

/** The batches as Arrow's own reader makes them of an IPC stream; their buffers are those of `bytes`. */
export function loadBuffers({ schema: ipc, bytes, batches }: DecodedBuffers): RecordBatch[] {
  const { schema } = RecordBatchReader.from(ipc).open();
  return batches.map(({ length, nodes, buffers }) => {
    const children = new VectorLoader(bytes, [...nodes], [...buffers], new Map()).visitMany(schema.fields);
    const type = new Struct(schema.fields as Field[]);
    return new RecordBatch(schema, makeData({ type, length, children }));
  });
}
