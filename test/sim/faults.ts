import { parseLogPath, SIDECAR_FOLDER } from "#src/log/names.js";
import { COPY, LETTERS, SOURCE, STATES, STREAM } from "./jobs.js";

/** What the simulated storage does to one call, beside the ordinary. Times in milliseconds of the virtual clock. */
export interface Course {
  /** The call takes effect before it is answered. */
  readonly hasEffect: boolean;
  /**
   * `lost`: nobody learns what came of it; `refused`: storage says no, clearly; `exists`: as a repeated request is
   * answered; `notWritten`: an error that says that nothing was written; `unflushed`: one that says that it is there,
   * but may be gone after a power cut.
   */
  readonly answer: "own" | "lost" | "refused" | "exists" | "notWritten" | "unflushed";
  readonly effectDelayMs?: number;
  readonly answerDelayMs?: number;
  /** The request arrives (again) so much later than the answer. */
  readonly lateMs?: number;
  /** Only a part of the object's bytes is there. */
  readonly isPartial?: boolean;
  /** A listing takes so long, and of what comes meanwhile it has some and lacks some. */
  readonly blurMs?: number;
  /** From here on, no call of this client arrives for so long. */
  readonly outageMs?: number;
  /** The client dies at this call, and is never answered. */
  readonly isCrash?: boolean;
  /** All clients die, and what isn't flushed may be gone. */
  readonly isPowerCut?: boolean;
}

const FINE: Course = { hasEffect: true, answer: "own" };

/** Longer than a claim asks and puts again. */
const LONG_OUTAGE_MS = 60_000;

/** The kinds of faults; `size` from 0 to 1000 says how much. */
export const FAULT_KINDS = {
  refused: () => ({ hasEffect: false, answer: "refused" }),
  lostRequest: () => ({ hasEffect: false, answer: "lost" }),
  lostAnswer: () => ({ hasEffect: true, answer: "lost" }),
  late: (size) => ({ hasEffect: false, answer: "lost", lateMs: 1 + size }),
  notWritten: () => ({ hasEffect: false, answer: "notWritten" }),
  unflushed: () => ({ hasEffect: true, answer: "unflushed" }),
  repeated: () => ({ hasEffect: true, answer: "exists" }),
  duplicate: (size) => ({ ...FINE, lateMs: 1 + size }),
  slow: (size) => ({ ...FINE, effectDelayMs: 5 + size }),
  slowAnswer: (size) => ({ ...FINE, answerDelayMs: 5 + size }),
  partial: () => ({ hasEffect: true, isPartial: true, answer: "lost" }),
  blurred: (size) => ({ ...FINE, blurMs: 1 + size }),
  crashBefore: () => ({ hasEffect: false, answer: "lost", isCrash: true }),
  crashAfter: () => ({ hasEffect: true, answer: "lost", isCrash: true }),
  crashPartial: () => ({ hasEffect: true, isPartial: true, answer: "lost", isCrash: true }),
  outageBefore: (size) => ({ hasEffect: false, answer: "lost", outageMs: outageOf(size) }),
  outageAfter: (size) => ({ hasEffect: true, answer: "lost", outageMs: outageOf(size) }),
  powerCut: () => ({ hasEffect: true, answer: "lost", isPowerCut: true }),
} as const satisfies Record<string, (size: number) => Course>;

export type FaultKind = keyof typeof FAULT_KINDS;

function outageOf(size: number): number {
  return size % 2 === 0 ? LONG_OUTAGE_MS : size;
}

const WRITE_FAULTS = ["lostRequest", "lostAnswer", "late", "duplicate", "slow", "slowAnswer", "refused"] as const;
const CRASHES = ["crashBefore", "crashAfter"] as const;
const READ_FAULTS = ["lostRequest", "refused", "slow", "slowAnswer", "crashBefore", "outageBefore"] as const;
const LIST_FAULTS = [...READ_FAULTS, "blurred"] as const;

const CLAIM_FAULTS = [
  ...WRITE_FAULTS,
  ...CRASHES,
  "repeated",
  "notWritten",
  "unflushed",
  "outageBefore",
  "outageAfter",
  "powerCut",
] as const;
const DATA_FAULTS = [...WRITE_FAULTS, ...CRASHES, "partial", "crashPartial", "outageBefore", "powerCut"] as const;
const PUT_FAULTS = [...WRITE_FAULTS, ...CRASHES, "outageBefore", "powerCut"] as const;
const DELETE_FAULTS = [
  "lostRequest",
  "lostAnswer",
  "late",
  "slow",
  "slowAnswer",
  "refused",
  ...CRASHES,
  "powerCut",
] as const;

/** Where faults strike in the table: a method of the store on a kind of file, and the faults that it can have. */
export const TABLE_POINTS = {
  "putIfAbsent commit": CLAIM_FAULTS,
  "putNew data": DATA_FAULTS,
  "put checkpoint": PUT_FAULTS,
  "put lastCheckpoint": PUT_FAULTS,
  "putHint checksum": PUT_FAULTS,
  "get checksum": READ_FAULTS,
  "get commit": READ_FAULTS,
  "get data": READ_FAULTS,
  "get checkpoint": READ_FAULTS,
  "get lastCheckpoint": READ_FAULTS,
  "head commit": READ_FAULTS,
  "head checkpoint": READ_FAULTS,
  "listNames log": LIST_FAULTS,
  "list log": LIST_FAULTS,
  "delete data": DELETE_FAULTS,
} as const satisfies Record<string, readonly FaultKind[]>;

/** Claims and data of other tables take the way that the table's take: what is to be seen is a job that ends before, at or after them. */
const OTHER_CLAIM_FAULTS = [
  "lostRequest",
  "lostAnswer",
  "late",
  ...CRASHES,
  "unflushed",
  "outageBefore",
  "outageAfter",
  "powerCut",
] as const;
const OTHER_DATA_FAULTS = [
  "lostRequest",
  "lostAnswer",
  "late",
  "refused",
  ...CRASHES,
  "crashPartial",
  "powerCut",
] as const;

/** The same of what loads and streams read and write beside the table. */
export const JOB_POINTS = {
  "list source": LIST_FAULTS,
  "get source": READ_FAULTS,
  "put state": PUT_FAULTS,
  "get state": READ_FAULTS,
  "list state": READ_FAULTS,
  "delete state": DELETE_FAULTS,
  "putNew letters": OTHER_DATA_FAULTS,
  "head letters": READ_FAULTS,
  "putIfAbsent letterCommit": OTHER_CLAIM_FAULTS,
  "putIfAbsent stream": CLAIM_FAULTS,
  "get stream": READ_FAULTS,
  "listNames stream": LIST_FAULTS,
  "putNew copy": OTHER_DATA_FAULTS,
  "putIfAbsent copyCommit": OTHER_CLAIM_FAULTS,
} as const satisfies Record<string, readonly FaultKind[]>;

const REMOVAL_FAULTS = ["lostRequest", "lostAnswer", "slow", "refused", ...CRASHES, "powerCut"] as const;

/** The same of what changes of rows, vacuum and the log's cleanup read, write and remove. */
export const CHANGE_POINTS = {
  "putNew vector": OTHER_DATA_FAULTS,
  "get vector": READ_FAULTS,
  "delete vector": REMOVAL_FAULTS,
  "head data": READ_FAULTS,
  "list table": LIST_FAULTS,
  "put compaction": PUT_FAULTS,
  "get compaction": READ_FAULTS,
  "delete compaction": REMOVAL_FAULTS,
  "delete commit": REMOVAL_FAULTS,
  "delete checkpoint": REMOVAL_FAULTS,
  "delete checksum": REMOVAL_FAULTS,
  "putNew sidecar": OTHER_DATA_FAULTS,
  "get sidecar": READ_FAULTS,
  "list sidecar": LIST_FAULTS,
  "put vacuumInfo": PUT_FAULTS,
  "get vacuumInfo": READ_FAULTS,
} as const satisfies Record<string, readonly FaultKind[]>;

export const FAULT_POINTS = { ...TABLE_POINTS, ...JOB_POINTS, ...CHANGE_POINTS };

export type FaultPoint = keyof typeof FAULT_POINTS;

/** The point that a call is at. */
export function pointOf(method: string, path: string): FaultPoint {
  return `${method} ${fileKind(path)}` as FaultPoint;
}

function fileKind(path: string): string {
  if (path.startsWith(STATES)) return "state";
  if (path.startsWith(SOURCE)) return "source";
  if (path.startsWith(STREAM)) return "stream";
  if (path.startsWith(LETTERS)) return kindOf("letters", "letterCommit", path.slice(LETTERS.length));
  if (path.startsWith(COPY)) return kindOf("copy", "copyCommit", path.slice(COPY.length));
  if (path === "_delta_log/") return "log";
  if (path === "_delta_log/_last_checkpoint") return "lastCheckpoint";
  if (path === "_delta_log/_last_vacuum_info") return "vacuumInfo";
  if (path.startsWith(SIDECAR_FOLDER)) return "sidecar";
  if (path === "") return "table";
  if (path.startsWith("deletion_vector_")) return "vector";
  const name = parseLogPath(path);
  if (name === undefined) return "data";
  if (name.kind === "compacted") return "compaction";
  return name.kind === "commit" || name.kind === "checksum" ? name.kind : "checkpoint";
}

function kindOf(data: string, commit: string, path: string): string {
  if (!path.startsWith("_delta_log/")) return data;
  return parseLogPath(path)?.kind === "commit" ? commit : `log of ${data}`;
}

/** A fault as a schedule plans it: at a client's `nth` call (from 0) at a point. */
export interface PlannedFault {
  readonly client: number;
  readonly point: FaultPoint;
  readonly nth: number;
  readonly kind: FaultKind;
  readonly size: number;
}

/** What happens to a call without a fault. */
export function ordinaryCourse(): Course {
  return FINE;
}

/** What happens to a call while its client can't reach storage. */
export function outageCourse(): Course {
  return FAULT_KINDS.lostRequest();
}
