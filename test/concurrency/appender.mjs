// Appends rows { writer, n } one by one as soon as a line comes on stdin, and prints a line of JSON for each that is
// acknowledged, or given up. Argument: JSON, see `AppenderOptions` in processes.ts.
import { once } from "node:events";
import { Table } from "#src/index.js";
import { openStore } from "#src/storage/open.js";

const { location, storage, writer, appends, checkpointEvery, txn } = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const store = openStore(location, storage);
const { putIfAbsent } = store;
let attempts = 0;
store.putIfAbsent = (...args) => {
  attempts++;
  return putIfAbsent.apply(store, args);
};
const table = Table.open(store);

async function append(n) {
  const options = txn ? { txn: { appId: writer, version: n } } : {};
  for (;;) {
    try {
      return await table.append([{ writer, n: BigInt(n) }], options);
    } catch (error) {
      // Only what is idempotent may be repeated blindly.
      if (!txn || error.kind !== "retry") throw error;
      say({ repeated: n, code: error.code });
    }
  }
}

say("ready");
await once(process.stdin, "data");
for (let n = 0; n < appends; n++) {
  attempts = 0;
  const started = performance.now();
  try {
    const { version, skipped } = await append(n);
    say({ n, version, skipped, attempts, ms: Math.round(performance.now() - started) });
  } catch (error) {
    say({ failed: n, code: error.code ?? String(error.stack) });
  }
  if (checkpointEvery && (n + 1) % checkpointEvery === 0) {
    await table.checkpoint().catch((error) => say({ checkpointFailed: n, code: error.code ?? String(error.stack) }));
  }
}
process.exit(0);
