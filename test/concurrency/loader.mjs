// Loads a source into a table until it is done, fails or is killed. Says on stdout, as lines of JSON, when it begins, what is committed, and
// the end: { result } or { failed: code }. Argument: { location, storage, source, options }.
import fs from "node:fs";
import { Table } from "#src/index.js";

const { location, storage, source, options } = JSON.parse(process.argv[2]);
const say = (what) => fs.writeSync(1, `${JSON.stringify(what)}\n`);

say("ready");
try {
  const onProgress = ({ isCommitted, version }) => isCommitted && say({ version });
  say({ result: await Table.open(location, storage).load(source, { ...options, storage, onProgress }) });
} catch (error) {
  say({ failed: error.code ?? String(error.stack) });
}
process.exit(0);
