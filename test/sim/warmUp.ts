import { Table } from "#src/index.js";
import { load } from "#src/load/load.js";
import { storeBelow } from "#src/storage/below.js";
import { memoryStore } from "#src/storage/memory.js";
import { streamedLog } from "#src/stream/stream.js";
import { SIM_SCHEMA } from "./changeVerbs.js";
import { BATCH_BYTES, COPY, firstSource, SOURCE, STREAM, simulatedSource } from "./jobs.js";
import type { SimRow } from "./verbs.js";

/**
 * Loads all code that is loaded when it is first needed, WebAssembly too: that takes real time, in which a simulated
 * client would pass for one that waits.
 */
export async function warmUp(): Promise<void> {
  const store = memoryStore();
  const table = Table.open(store);
  for (let n = 0; n < 3; n++) {
    await table.append([{ n }], { txn: { appId: "a", version: n }, properties: { "delta.checkpointInterval": "2" } });
  }
  const fresh = Table.open(store);
  await fresh.toArray();
  await fresh.count();
  await fresh.checkpoint();
  await fresh.history();
  await Table.open(store).at(new Date()).files();
  for (const [path, bytes] of firstSource()) await store.put(path, bytes);
  const options = { job: "warm up", batchBytes: BATCH_BYTES, schema: { id: "string", n: "long" } } as const;
  const other = Table.open(storeBelow(store, "_other/"));
  await load(other[streamedLog], SOURCE, options, simulatedSource(store));
  await other.checkpointed("steps").append([{ id: "a", n: 1n }], { offset: 1 });
  const checkpoint = storeBelow(store, STREAM);
  await other.stream().toTable(Table.open(storeBelow(store, COPY)), { checkpoint });
  for (const vectors of ["true", "false"]) await warmUpChanges(vectors);
}

async function warmUpChanges(vectors: string): Promise<void> {
  const table = Table.open<SimRow>(memoryStore());
  const properties = {
    "delta.enableDeletionVectors": vectors,
    "delta.enableRowTracking": vectors,
    "delta.checkpointPolicy": vectors === "true" ? "v2" : "classic",
    "delta.logRetentionDuration": "interval 0 days",
  };
  await table.create({ schema: SIM_SCHEMA, properties });
  const rows = Array.from({ length: 6 }, (_, n) => ({ id: `r${n}`, n: BigInt(n) }));
  await table.append(rows);
  await table.append(rows);
  await table.delete({ n: 1n });
  await table.delete({ n: 2n });
  await table.update({ set: { n: 1n }, where: { n: { lt: 2n } } });
  await table.overwrite(rows.slice(5), { where: { n: 5n } });
  await table.transaction(async (tx) => {
    await tx.delete({ n: 3n });
    await tx.append(rows.slice(3));
  });
  await table.optimize({ purge: true });
  await table.optimize({ zOrderBy: ["n"] });
  await table.compactLog();
  await table.restore(4);
  await table.vacuum();
  await table.vacuum({ lite: true });
  await table.checkpoint();
  await table.at(4).toArray();
  await table.verify();
}
