// Works on a table as whoever runs it. Argument: the table. Prints the outcome of each verb as JSON.
import { Table } from "#src/index.js";

const table = Table.open(process.argv[2]);
const outcome = (running) =>
  running.then(
    (value) => value,
    (error) => `${error.code} ${error.kind}`,
  );
console.log(
  JSON.stringify({
    count: await outcome(table.count()),
    ids: await outcome(table.toArray().then((rows) => rows.map(({ id }) => Number(id)))),
    append: await outcome(table.append([{ id: 2n }]).then(({ version }) => version)),
    checkpoint: await outcome(table.checkpoint().then(({ version }) => version)),
  }),
);
