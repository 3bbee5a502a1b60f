// Loads a file with the limits that users have; prints what came of it, and the most memory that was held.
import { Table } from "#src/index.js";

const [source, location, options] = process.argv.slice(2);
let outcome;
try {
  const { rowsLoaded, rowsDead } = await Table.open(location).load(source, JSON.parse(options));
  outcome = { rowsLoaded, rowsDead };
} catch (error) {
  outcome = { code: error.code ?? String(error) };
}
console.log(JSON.stringify({ ...outcome, residentMB: process.resourceUsage().maxRSS / 1024 }));
