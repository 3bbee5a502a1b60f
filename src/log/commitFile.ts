import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import { exactJson, parseExactJson } from "../schema/exactJson.js";
import { isJsonBomb } from "../schema/jsonScan.js";
import { type ActionKey, type CheckpointKey, flawOf, isActionKey, isCheckpointKey, isObject } from "./actionShape.js";
import type { Action, CheckpointAction } from "./actions.js";
import { commitPath, type LogFile } from "./names.js";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();
const COMMIT_INFO = '{"commitInfo":';
const LINE_FEED = 0x0a;
/** Longer commits are decoded piece by piece: large strings stay in memory until a full collection. */
const TEXT_BYTES = 128 * 1024;

/** A commit as newline-delimited JSON, one action a line (PROTOCOL.md, Delta Log Entries). */
export function serializeCommit(actions: readonly Action[]): Uint8Array {
  return encoder.encode(
    actions.map((action) => `${"txn" in action ? exactJson(action) : JSON.stringify(action)}\n`).join(""),
  );
}

/** The actions of a commit, in their order. Throws `DELTA_LOG_CORRUPT` naming file and line. */
export function parseCommit(version: number, bytes: Uint8Array): Action[] {
  const actions: Action[] = [];
  forEachAction(version, bytes, { commitInfo: true }, (action) => actions.push(action));
  return actions;
}

/**
 * Calls `visit` with each action of a commit, or of the compaction at `path`, in their order; lines of unknown actions are
 * passed over. Without `commitInfo`, lines that start with one aren't parsed, which saves a third of the time of a long log.
 *
 * Throws `DELTA_LOG_CORRUPT` naming file and line: also for a line longer than `MAX_COMMIT_LINE_BYTES`, or one that would
 * take many times its room.
 */
export function forEachAction(
  version: number,
  bytes: Uint8Array,
  wanted: { readonly commitInfo: boolean; readonly path?: string },
  visit: (action: Action) => void,
): void {
  const { commitInfo, path = commitPath(version) } = wanted;
  forEachLine({ version, path }, bytes, { commitInfo, isKey: isActionKey }, visit);
}

/** As {@link forEachAction}, of a checkpoint in JSON (PROTOCOL.md, V2 Spec). */
export function forEachCheckpointAction(
  file: LogFile,
  bytes: Uint8Array,
  visit: (action: CheckpointAction) => void,
): void {
  forEachLine(file, bytes, { commitInfo: false, isKey: isCheckpointKey }, visit);
}

type Key = ActionKey | CheckpointKey;
type IsKey = (name: string) => name is Key;

function forEachLine<A extends CheckpointAction>(
  file: LogFile,
  bytes: Uint8Array,
  wanted: { readonly commitInfo: boolean; readonly isKey: IsKey },
  visit: (action: A) => void,
): void {
  let lineNumber = 0;
  for (const piece of pieces(file, bytes, () => lineNumber + 1)) {
    const text = decode(file, piece);
    for (let start = 0; start < text.length; ) {
      let end = text.indexOf("\n", start);
      if (end === -1) end = text.length;
      lineNumber++;
      checkLength(file, lineNumber, end - start);
      const skipped = !wanted.commitInfo && text.startsWith(COMMIT_INFO, start);
      const line = text.slice(start, end).trim();
      start = end + 1;
      if (line === "") continue;
      // A line cut short doesn't end as an object does.
      if (skipped && line.endsWith("}")) continue;
      const action = parseLine(file, lineNumber, line, wanted.isKey);
      if (action !== undefined) visit(action as A);
    }
  }
}

/** The bytes, in pieces that end where a line does. `lineNumber` is that of a piece's first line. */
function* pieces(file: LogFile, bytes: Uint8Array, lineNumber: () => number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const first = bytes.indexOf(LINE_FEED, start);
    checkLength(file, lineNumber(), (first === -1 ? bytes.length : first) - start);
    const piece = pieceAt(bytes, start);
    yield piece;
    start += piece.length;
  }
}

function checkLength(file: LogFile, lineNumber: number, length: number): void {
  const { MAX_COMMIT_LINE_BYTES } = limits;
  if (length <= MAX_COMMIT_LINE_BYTES) return;
  throw corrupt(file, lineNumber, `has more than the ${MAX_COMMIT_LINE_BYTES} bytes that a line may have`);
}

function pieceAt(bytes: Uint8Array, start: number): Uint8Array {
  if (bytes.length - start <= TEXT_BYTES) return bytes.subarray(start);
  const last = bytes.lastIndexOf(LINE_FEED, start + TEXT_BYTES);
  if (last >= start) return bytes.subarray(start, last + 1);
  const end = bytes.indexOf(LINE_FEED, start);
  return bytes.subarray(start, end === -1 ? bytes.length : end + 1);
}

function decode(file: LogFile, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw corrupt(file, 0, "isn't UTF-8 text", cause);
  }
}

function parseLine(file: LogFile, lineNumber: number, line: string, isKey: IsKey): CheckpointAction | undefined {
  if (isJsonBomb(line)) throw corrupt(file, lineNumber, "holds too many values, or nests them too deep");
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw corrupt(file, lineNumber, "isn't JSON", cause);
  }
  if (!isObject(parsed)) throw corrupt(file, lineNumber, "isn't a JSON object");
  const key = keyOf(file, lineNumber, parsed, isKey);
  if (key === undefined) return undefined;
  const flaw = flawOf(key, parsed[key]);
  if (flaw !== undefined) throw corrupt(file, lineNumber, `has ${flaw}`);
  // Numbers beyond 2^53 lose digits otherwise.
  if (key !== "txn" || Number.isSafeInteger((parsed.txn as { version: unknown }).version)) return action(key, parsed);
  const exact = parseExactJson(line) as Record<string, unknown>;
  const exactFlaw = flawOf(key, exact.txn);
  if (exactFlaw !== undefined) throw corrupt(file, lineNumber, `has ${exactFlaw}`);
  return action(key, exact);
}

/** Which action the line holds. With two of them, one reader would take the first, another the second. */
function keyOf(file: LogFile, lineNumber: number, parsed: Record<string, unknown>, isKey: IsKey): Key | undefined {
  let found: Key | undefined;
  for (const key in parsed) {
    if (!isKey(key) || parsed[key] === null) continue;
    if (found !== undefined) throw corrupt(file, lineNumber, `holds two actions, ${found} and ${key}`);
    found = key;
  }
  return found;
}

/** The action alone: what else the line holds mustn't pass for one that was looked at. */
function action(key: Key, parsed: Record<string, unknown>): CheckpointAction {
  for (const other in parsed) if (other !== key) return { [key]: parsed[key] } as unknown as CheckpointAction;
  return parsed as unknown as CheckpointAction;
}

function corrupt({ version, path }: LogFile, line: number, flaw: string, cause?: unknown): DeltaError {
  return new DeltaError("DELTA_LOG_CORRUPT", `Line ${line} of ${path} ${flaw}.`, { path, version, line }, cause);
}
