// Streams the table at argv[2] into the one at argv[3] without end, a file a batch; prints each batch that is done.
import { Table } from "#src/index.js";

const [, , source, target, checkpoint] = process.argv;
await Table.open(source)
  .stream({ maxFilesPerTrigger: 1, startingVersion: 0 })
  .dropDuplicates(["id"])
  .toTable(Table.open(target), {
    checkpoint,
    trigger: { everyMs: 0 },
    onProgress: ({ batchId }) => process.stdout.write(`${batchId}\n`),
  });
