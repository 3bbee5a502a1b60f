import { parseLogPath } from "#src/log/names.js";

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

/** Where faults strike: a method of the store on a kind of file, and the faults that it can have. */
export const FAULT_POINTS = {
  "putIfAbsent commit": [
    ...WRITE_FAULTS,
    ...CRASHES,
    "repeated",
    "notWritten",
    "unflushed",
    "outageBefore",
    "outageAfter",
    "powerCut",
  ],
  "putNew data": [...WRITE_FAULTS, ...CRASHES, "partial", "crashPartial", "outageBefore", "powerCut"],
  "put checkpoint": [...WRITE_FAULTS, ...CRASHES, "outageBefore", "powerCut"],
  "put lastCheckpoint": [...WRITE_FAULTS, ...CRASHES, "outageBefore", "powerCut"],
  "get commit": READ_FAULTS,
  "get data": READ_FAULTS,
  "get checkpoint": READ_FAULTS,
  "get lastCheckpoint": READ_FAULTS,
  "head commit": READ_FAULTS,
  "head checkpoint": READ_FAULTS,
  "listNames log": LIST_FAULTS,
  "list log": LIST_FAULTS,
  "delete data": ["lostRequest", "lostAnswer", "late", "slow", "slowAnswer", "refused", ...CRASHES, "powerCut"],
} as const satisfies Record<string, readonly FaultKind[]>;

export type FaultPoint = keyof typeof FAULT_POINTS;

/** The point that a call is at. */
export function pointOf(method: string, path: string): FaultPoint {
  return `${method} ${fileKind(path)}` as FaultPoint;
}

function fileKind(path: string): string {
  if (path === "_delta_log/") return "log";
  if (path === "_delta_log/_last_checkpoint") return "lastCheckpoint";
  const name = parseLogPath(path);
  if (name === undefined) return "data";
  return name.kind === "commit" ? "commit" : "checkpoint";
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
