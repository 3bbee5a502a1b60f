// Encodes and decodes in worker threads, then leaves it to Node to end the process.
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { readParquet } from "#src/parquet/read.js";
import { encodeParquet } from "#src/parquet/write.js";
import { memoryStore } from "#src/storage/memory.js";

const rows = Int32Array.from({ length: 1_000_000 }, (_, i) => i);
const { batches } = tableFromIPC(tableToIPC(tableFromArrays({ id: rows })));
const { bytes } = await encodeParquet(batches);
const store = memoryStore();
await store.put("file", bytes);
let sum = 0;
for await (const batch of readParquet(store, { path: "file", sizeBytes: bytes.length })) {
  for (const value of batch.getChild("id")) sum += value;
}
console.log(sum);
