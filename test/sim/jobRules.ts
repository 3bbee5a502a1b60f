import { stepAppId } from "#src/load/progress.js";
import type { FinalState } from "./finale.js";
import { type CommitRecord, type History, logAt } from "./history.js";
import { isBadRecord, LETTERS, LOAD_JOB, queueRow, recordId, sourceRecords } from "./jobs.js";
import { loadedRows, rowsByFile } from "./rowsByFile.js";

/** Jobs that keep their place have done each record once, however often they were killed and whoever ran beside them. */
export function* jobsAddUp(history: History, final: FinalState): Generator<string> {
  const log = logAt(history, final.step);
  const verbs = new Set(history.operations.map(({ verb }) => verb));
  if (verbs.has("load")) {
    yield* loadAddsUp(log, final);
    yield* lettersFollow(log, logAt(history, final.step, LETTERS));
  }
  if (verbs.has("step")) yield* queueAddsUp(history, log);
  if (verbs.has("stream")) yield* copyAddsUp(history, log, final);
}

/** Every record is a row or a dead letter once, and each commit's books say so. */
function* loadAddsUp(log: readonly CommitRecord[], { objects, letters }: FinalState): Generator<string> {
  const rows: string[] = [];
  let told = 0;
  for (const commit of log) {
    const books = booksOf(commit);
    if (books === undefined) continue;
    const { rowsRead, rowsLoaded, rowsDead, rowsFiltered } = books;
    if (rowsRead !== rowsLoaded + rowsDead + rowsFiltered) yield `the books of version ${commit.version} don't balance`;
    const loaded = loadedRows(commit) ?? [];
    if (rowsLoaded !== loaded.length) yield `version ${commit.version} tells of ${rowsLoaded} rows`;
    rows.push(...loaded);
    told += rowsRead;
  }
  const good: string[] = [];
  const bad: string[] = [];
  for (const [file, count] of sourceRecords(objects)) {
    for (let record = 0; record < count; record++) (isBadRecord(record) ? bad : good).push(recordId(file, record));
  }
  yield* difference("the load's commits", rows, good);
  if (told !== good.length + bad.length) yield `the load's books tell of ${told} records`;
  yield* difference("the dead letters", letters, bad);
}

/** Dead letters are committed once their batch is: till then nobody can say that it will ever be. */
function* lettersFollow(log: readonly CommitRecord[], letters: readonly CommitRecord[]): Generator<string> {
  const stepOf = ({ actions }: CommitRecord) =>
    actions.flatMap((action) =>
      "txn" in action && action.txn.appId === stepAppId(LOAD_JOB) ? [Number(action.txn.version)] : [],
    )[0];
  for (const letter of letters) {
    const batch = log.find((commit) => stepOf(commit) === stepOf(letter));
    if (batch === undefined || batch.landedAt > letter.landedAt)
      yield `dead letters ${letter.version} come before their batch`;
  }
}

interface Books {
  readonly rowsRead: number;
  readonly rowsLoaded: number;
  readonly rowsDead: number;
  readonly rowsFiltered: number;
}

/** What a load's commit says of its records; undefined for another commit. */
function booksOf({ actions }: CommitRecord): Books | undefined {
  const info = actions.find((action) => "commitInfo" in action)?.commitInfo;
  if (info?.operation !== "LOAD") return undefined;
  const told = (name: string) => Number(info.operationMetrics?.[name]);
  return {
    rowsRead: told("rowsRead"),
    rowsLoaded: told("rowsLoaded"),
    rowsDead: told("rowsDead"),
    rowsFiltered: told("rowsFiltered"),
  };
}

/** The steps of a job with offsets follow each other. */
function* queueAddsUp({ operations }: History, log: readonly CommitRecord[]): Generator<string> {
  const rows = new Map(operations.filter(({ verb }) => verb === "step").map(({ id, rowIds }) => [id, rowIds]));
  const appended = log.flatMap(({ operation }) => rows.get(operation ?? "") ?? []);
  const wanted = appended.map((_, index) => queueRow(index));
  if (appended.join(" ") !== wanted.join(" ")) yield `the queue's rows are ${appended.join(" ")}`;
}

/** The copy has the rows of each file that was added to the table, in whichever version, as often as it was. */
function* copyAddsUp(history: History, log: readonly CommitRecord[], { copy }: FinalState): Generator<string> {
  const files = rowsByFile(history);
  const added = log.flatMap(({ actions }) =>
    actions.flatMap((action) => ("add" in action ? (files.get(action.add.path) ?? []) : [])),
  );
  yield* difference("the copy's rows", copy, added);
}

function* difference(what: string, found: readonly string[], wanted: readonly string[]): Generator<string> {
  const [a, b] = [[...found].sort().join(" "), [...wanted].sort().join(" ")];
  if (a !== b) yield `${what} are ${a}, should be ${b}`;
}
