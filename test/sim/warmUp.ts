import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";

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
}
