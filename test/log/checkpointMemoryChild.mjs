// Opens the table at argv[2] and writes a checkpoint of it; prints how many bytes the process took above what it began with.
import { Table } from "#src/index.js";

const table = Table.open(process.argv[2]);
const before = process.memoryUsage().rss;
await table.checkpoint();
const peak = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ aboveStart: peak - before }));
