// Appends rows { writer, n } one by one to a table as soon as a line comes on stdin. Arguments: table, writer, how many.
import { once } from "node:events";
import { Table } from "#src/index.js";

const [path, writer, count] = process.argv.slice(2);
const table = Table.open(path);
process.stdout.write("ready\n");
await once(process.stdin, "data");
for (let n = 0; n < Number(count); n++) await table.append([{ writer, n: BigInt(n) }]);
process.exit(0);
