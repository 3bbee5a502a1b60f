// Opens a table in a process of its own and prints which heavy packages were loaded by then, and by listing its files.
import { register } from "node:module";

const seen = new Int32Array(new SharedArrayBuffer(4));
register(
  `data:text/javascript,${encodeURIComponent(`
    let seen;
    export function initialize(shared) { seen = shared; }
    export async function load(url, context, next) {
      if (url.includes("/apache-arrow/")) Atomics.store(seen, 0, 1);
      return next(url, context);
    }
  `)}`,
  import.meta.url,
  { data: seen },
);
const loaded = () => (Atomics.load(seen, 0) === 1 ? ["apache-arrow"] : []);

const { memoryStore } = await import("#src/storage/memory.js");
const { loadSnapshot } = await import("#src/log/snapshot.js");
const store = memoryStore();
const lines = [
  { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
  { metaData: { id: "m", schemaString: '{"type":"struct","fields":[]}' } },
  { add: { path: "a", size: 1 } },
];
const json = lines.map((line) => JSON.stringify(line)).join("\n");
await store.put("_delta_log/00000000000000000000.json", new TextEncoder().encode(json));
await store.put("_delta_log/00000000000000000001.json", new Uint8Array(0));
const snapshot = await loadSnapshot(store);
const whenOpen = loaded();
for await (const batch of snapshot.fileBatches()) if (batch.numRows !== 1) throw new Error("one file expected");
console.log(JSON.stringify({ opened: snapshot.version, whenOpen, whenListed: loaded() }));
