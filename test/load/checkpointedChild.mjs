// Appends without end to the table at argv[2], ten rows at a time, from where the job is; prints each offset that is reached.
import { Table } from "#src/index.js";

const job = Table.open(process.argv[2]).checkpointed("queue");
for (let at = Number((await job.offset()) ?? 0); ; at += 10) {
  const rows = Array.from({ length: 10 }, (_, i) => ({ id: BigInt(at + i) }));
  await job.append(rows, { offset: at + 10 });
  process.stdout.write(`${at + 10}\n`);
}
