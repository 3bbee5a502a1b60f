// Lets every single call of the file system fail that a verb makes, in turn, and looks at what comes of it. Argument: an
// empty folder. Prints one JSON object: how much was tried, and each thing that wasn't as it should be.
import fs from "node:fs";
import path from "node:path";
import { calls, failFrom, heal, watch } from "./failingFs.mjs";

const { DeltaError, Table } = await import("#src/index.js");
const { replaceRuntime } = await import("#src/runtime.js");
const { localStore } = await import("#src/storage/local.js");

const [scratch] = process.argv.slice(2);
const resourcesBefore = process.getActiveResourcesInfo().sort();
const violations = [];
const warnings = [];
const codes = {};
let tried = 0;
let where = "";
const fail = (what, facts) => violations.push(`${where}: ${what} ${facts === undefined ? "" : JSON.stringify(facts)}`);

process.on("unhandledRejection", (error) => fail("unhandled rejection", String(error)));
replaceRuntime({ sleep: async () => {}, warn: (_message, code) => warnings.push(code) });

const EXPECTED = {
  EIO: "DELTA_STORAGE_FAILED",
  ENOSPC: "DELTA_DISK_FULL",
  EMFILE: "DELTA_STORAGE_UNAVAILABLE",
  EACCES: "DELTA_ACCESS_DENIED",
};
const KINDS = { DELTA_STORAGE_UNAVAILABLE: "retry", DELTA_COMMIT_OUTCOME_UNKNOWN: "retry" };
const properties = { "delta.checkpointInterval": "4" };
const ids = (rows) => rows.map((row) => Number(row.id)).sort((a, b) => a - b);
/** Each file holds one row, so its statistics say which. */
const idsOfFiles = (files) => files.map(({ stats }) => JSON.parse(stats).minValues.id).sort((a, b) => a - b);

async function template(name, rows) {
  const at = path.join(scratch, name);
  const table = Table.open(at);
  for (let id = 0; id < rows; id++) await table.append([{ id: BigInt(id) }], id === 0 ? { properties } : {});
  return at;
}

const none = path.join(scratch, "none");
fs.mkdirSync(none);
const three = await template("three", 3);
const four = await template("four", 4);
const seven = await template("seven", 7);

const append = {
  open: async (table) => void (await table.version().catch(() => undefined)),
  run: async (table) => void (await table.append([{ id: 100n }], { txn: { appId: "job", version: 1 } })),
  adds: true,
};
const read = { open: async () => {}, result: [0, 1, 2, 3, 4, 5, 6] };
const VERBS = {
  "an append that creates the table": { ...append, from: none, rows: [] },
  "an append": { ...append, all: true, from: three, rows: [0, 1, 2] },
  "an append by a new handle": { ...append, open: async () => {}, from: seven, rows: [0, 1, 2, 3, 4, 5, 6] },
  "an append with a checkpoint": { ...append, from: four, rows: [0, 1, 2, 3] },
  "a checkpoint": {
    open: async () => {},
    run: async (table) => (await table.checkpoint()).version,
    result: 6,
    from: seven,
  },
  "a read": { ...read, all: true, run: async (table) => ids(await table.toArray()), from: seven },
  "time travel": {
    ...read,
    run: async (table) => ids(await table.at(5).toArray()),
    result: [0, 1, 2, 3, 4, 5],
    from: seven,
  },
  "a list of files": { ...read, run: async (table) => idsOfFiles(await table.files()), from: seven },
  "a history": {
    ...read,
    run: async (table) => (await table.history()).map(({ version }) => version).sort(),
    from: seven,
  },
};

let tables = 0;
async function attempt(name, verb, fault) {
  const at = path.join(scratch, "tables", String(tables++));
  fs.cpSync(verb.from, at, { recursive: true });
  const table = Table.open(at);
  await verb.open(table);
  const descriptors = fs.readdirSync("/proc/self/fd").length;
  where = `${name}, ${JSON.stringify(fault)}`;
  watch(at);
  failFrom(fault);
  let error;
  let result;
  try {
    result = await verb.run(table);
  } catch (thrown) {
    error = thrown;
  }
  const hit = heal();
  where += ` at ${calls[fault.first]}`;
  watch(path.join(scratch, "nothing"));
  tried++;

  if (error !== undefined) {
    const code = error instanceof DeltaError ? error.code : String(error);
    codes[code] = (codes[code] ?? 0) + 1;
    const unclear = verb.adds && code === "DELTA_COMMIT_OUTCOME_UNKNOWN";
    if (!(error instanceof DeltaError)) fail("not a DeltaError", String(error.stack));
    else if (code !== EXPECTED[fault.code] && !unclear) fail("another code", { code, message: error.message });
    else if (error.kind !== (KINDS[code] ?? "fix-environment")) fail("another kind", error.kind);
  } else if (verb.result !== undefined && JSON.stringify(result) !== JSON.stringify(verb.result)) {
    fail("a wrong answer", result);
  }
  if (fs.readdirSync("/proc/self/fd").length !== descriptors) fail("descriptors leak");
  await checkTable(at, verb, error);
  await nextRun(at, verb, table);
  fs.rmSync(at, { recursive: true });
  return hit;
}

/** What a new reader finds right after the failure. */
async function checkTable(at, verb, error) {
  if (!verb.adds) return;
  const files = await Table.open(at)
    .files()
    .catch((missing) => {
      if (missing.code === "DELTA_TABLE_NOT_FOUND") return [];
      throw missing;
    });
  const found = idsOfFiles(files);
  const without = JSON.stringify(found) === JSON.stringify(verb.rows);
  const withIt = JSON.stringify(found) === JSON.stringify([...verb.rows, 100]);
  if (error === undefined ? !withIt : error.code === "DELTA_COMMIT_OUTCOME_UNKNOWN" ? !without && !withIt : !without) {
    fail("the table holds", { found, after: error?.code ?? "success" });
  }
  for (const file of files) {
    if (fs.statSync(path.join(at, file.path), { throwIfNoEntry: false })?.size !== file.size)
      fail("no file", file.path);
  }
}

/** The same job again, on the same handle, lands its rows exactly once. */
async function nextRun(at, verb, table) {
  try {
    if (verb.adds) {
      await append.run(table);
      const found = idsOfFiles(await Table.open(at).files());
      if (JSON.stringify(found) !== JSON.stringify([...verb.rows, 100])) fail("after the next run", found);
      const again = idsOfFiles(await table.files());
      if (JSON.stringify(again) !== JSON.stringify(found)) fail("the same handle reads", again);
    } else {
      const result = await verb.run(table);
      if (JSON.stringify(result) !== JSON.stringify(verb.result)) fail("the next run", result);
    }
    const strays = [];
    for await (const { path: stray } of localStore(at).list("")) strays.push(stray);
    if (strays.some((stray) => stray.endsWith(".tmp"))) fail("temporary files are listed", strays);
  } catch (error) {
    fail("the next run fails", String(error));
  }
}

const ONCE = 1;
const FOR_GOOD = 1_000_000;

/** Which faults a verb meets: all meet the first, two meet them all. */
function faultsOf({ all, adds }) {
  const faults = [{ code: "EIO", times: ONCE }];
  if (adds) faults.push({ code: "EIO", times: ONCE, after: true });
  if (!all) return faults;
  return [...faults, ...Object.keys(EXPECTED).map((code) => ({ code, times: FOR_GOOD }))];
}

for (const [name, verb] of Object.entries(VERBS)) {
  for (const fault of faultsOf(verb)) {
    let first = 0;
    while (await attempt(name, verb, { ...fault, first })) first++;
  }
}
watch(path.join(scratch, "nothing"));
await new Promise((resolve) => setImmediate(resolve));
const resources = { before: resourcesBefore, after: process.getActiveResourcesInfo().sort() };
console.log(JSON.stringify({ tried, codes, warnings: warnings.length, violations, resources }));
