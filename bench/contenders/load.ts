// Arguments: the CSV file, the table, and `whole` or `resumed`: the latter times only the run that goes on at 90 % of the file,
// after another one was stopped there.
import { stat } from "node:fs/promises";
import { DeltaError, Table } from "delta-table";
import { sample } from "../process.js";

const [source = "", path = "", how] = process.argv.slice(2);
const schema = {
  id: "long",
  at: "timestamp",
  name: "string",
  value: "double",
  flag: "boolean",
  category: "string",
} as const;

async function load(signal?: AbortSignal, onRead: (bytes: number) => void = () => {}): Promise<void> {
  await using table = Table.open(path);
  await table.load(source, { schema, signal, onProgress: ({ bytesRead }) => onRead(bytesRead) });
}

if (how === "resumed") {
  const stop = new AbortController();
  const stopAt = 0.9 * (await stat(source)).size;
  await load(stop.signal, (bytes) => {
    if (bytes >= stopAt) stop.abort();
  }).catch((error: unknown) => {
    if (!(error instanceof DeltaError && error.code === "DELTA_ABORTED")) throw error;
  });
}
await sample(load, () => null);
