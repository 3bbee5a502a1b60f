// Arguments: the table, its version or `latest`, and `batches` (Arrow columns) or `strings` (each path a string of JavaScript's);
// then perhaps a day or an id that the files must be able to have.
import type { RecordBatch } from "apache-arrow";
import { Table } from "delta-table";
import { pathsAnswer } from "../answer.js";
import { loadModules, sample } from "../process.js";

const [path = "", at = "", how, column, value = ""] = process.argv.slice(2);
const where = column === undefined ? undefined : { [column]: column === "id" ? BigInt(value) : value };
const options = { columns: ["path"], where } as const;
const opened = () => (at === "latest" ? Table.open(path) : Table.open(path).at(Number(at)));
await loadModules();

if (how === "batches") {
  await sample(
    async () => {
      const batches: RecordBatch[] = [];
      for await (const batch of opened().fileBatches(options)) batches.push(batch);
      return batches;
    },
    (batches) => pathsAnswer(batches.flatMap((batch) => [...(batch.getChild("path") as Iterable<string>)])),
  );
} else {
  await sample(async () => {
    const paths: string[] = [];
    for await (const batch of opened().fileBatches(options)) {
      for (const path of batch.getChild("path") as Iterable<string>) paths.push(path);
    }
    return paths;
  }, pathsAnswer);
}
