// Reads a table over and over while others append rows { writer, n } to it, one a commit, until stdin ends; prints one JSON
// object: how much was read, and everything that wasn't as it should be. Argument: JSON { location, storage }.
import { Table } from "#src/index.js";

const { location, storage } = JSON.parse(process.argv[2]);
const problems = [];
const check = (holds, what) => {
  if (!holds && problems.length < 20) problems.push(what);
};

let running = true;
process.stdin.on("end", () => {
  running = false;
});
process.stdin.resume();
process.stdout.write('"ready"\n');

/** The rows of each writer: each file holds one, so its statistics tell it. */
async function seenIn(table) {
  const byWriter = new Map();
  let rows = 0;
  for (const { stats } of await table.files()) {
    const { writer, n } = JSON.parse(stats).minValues;
    if (!byWriter.has(writer)) byWriter.set(writer, []);
    byWriter.get(writer).push(n);
    rows++;
  }
  for (const [writer, ns] of byWriter) {
    ns.sort((a, b) => a - b);
    check(
      ns.every((n, i) => n === i),
      `a gap or a double: ${writer} has ${ns}`,
    );
  }
  return rows;
}

const table = Table.open(location, storage);
let reads = 0;
let newest = -1;
while (running) {
  try {
    const version = await table.version();
    check(version >= newest, `back from version ${newest} to ${version}`);
    newest = version;
    const old = Math.floor(Math.random() * (version + 1));
    // What is committed meanwhile is seen, or not; what was there is.
    const count = await table.count();
    check(count > version, `${count} rows after version ${version}`);
    const past = table.at(version);
    check((await past.count()) === version + 1, `another count than ${version + 1} at version ${version}`);
    check((await seenIn(past)) === version + 1, `other files than ${version + 1} at version ${version}`);
    const fresh = Table.open(location, storage);
    const freshVersion = await fresh.version();
    check(freshVersion >= version, `a new handle is at ${freshVersion}, an old one was at ${version}`);
    check((await seenIn(fresh.at(old))) === old + 1, `other files than ${old + 1} at version ${old}`);
    await fresh[Symbol.asyncDispose]();
    reads++;
  } catch (error) {
    check(error.code === "DELTA_TABLE_NOT_FOUND" && newest < 0, `${error.code}: ${error.stack}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
console.log(JSON.stringify({ reads, newest, problems }));
process.exit(0);
