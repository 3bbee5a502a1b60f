import fc from "../fastCheck.js";
import {
  CHANGE_POINTS,
  FAULT_POINTS,
  type FaultKind,
  type FaultPoint,
  JOB_POINTS,
  type PlannedFault,
  TABLE_POINTS,
} from "./faults.js";
import type { TableKind } from "./history.js";
import { type Call, VERBS, type VerbName, verbOf } from "./verbs.js";

/** What a client does, one call after the other. */
export interface ClientPlan {
  /** How far its clock is off, in milliseconds. */
  readonly skewMs: number;
  readonly calls: readonly PlannedCall[];
}

export interface PlannedCall extends Call {
  /** The next call doesn't wait for this one. */
  readonly isParallel: boolean;
  /** The client forgets its handle and opens the table anew before it. */
  readonly isFresh: boolean;
  readonly pauseMs: number;
}

/** A schedule: everything that happens in a run follows from it. */
export interface Plan {
  readonly checkpointInterval: number;
  /** Of schedules that change rows. */
  readonly table?: TableKind;
  /** 0: every way to storage takes as long as any other; else the times are drawn from this seed. */
  readonly jitter: number;
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly PlannedFault[];
}

const MAX_CLIENTS = 3;

const shortPause = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(400) });
const HOUR_MS = 3_600_000;
/** Files and versions have their times: some hours, some days. */
const longPause = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat(400) },
  { weight: 2, arbitrary: fc.integer({ min: HOUR_MS, max: 7 * HOUR_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 20 * HOUR_MS, max: 60 * HOUR_MS }) },
);

const verbNames = Object.keys(VERBS) as VerbName[];

type Weights = "weight" | "jobWeight" | "changeWeight";

const callArbitrary = (weights: Weights, pause: fc.Arbitrary<number> = shortPause): fc.Arbitrary<PlannedCall> =>
  fc.record({
    verb: fc.oneof(...verbNames.map((name) => ({ weight: verbOf(name)[weights] ?? 0, arbitrary: fc.constant(name) }))),
    pick: fc.nat(999),
    isParallel: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 5),
    isFresh: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 5),
    pauseMs: pause,
  });

const clientArbitrary = (weights: Weights, maxLength: number, pause?: fc.Arbitrary<number>): fc.Arbitrary<ClientPlan> =>
  fc.record({
    skewMs: fc.oneof(fc.constant(0), fc.integer({ min: -3_600_000, max: 3_600_000 })),
    calls: fc.array(callArbitrary(weights, pause), { minLength: 1, maxLength, size: "max" }),
  });

/** How often plans have faults at a point, where it isn't 2, to make up for how seldom clients come there. */
const POINT_WEIGHTS: Readonly<Partial<Record<FaultPoint, number>>> = {
  "putIfAbsent commit": 14,
  "putNew data": 4,
  "put checkpoint": 6,
  "put lastCheckpoint": 6,
  "get checkpoint": 5,
  "head checkpoint": 5,
  "listNames log": 4,
  "delete data": 4,
  "putNew letters": 4,
  "putNew copy": 4,
  "putIfAbsent letterCommit": 6,
  "putIfAbsent copyCommit": 6,
  "putIfAbsent stream": 8,
  "delete state": 6,
  "delete commit": 4,
  "delete checkpoint": 4,
  "putNew vector": 4,
  "list table": 4,
};

/** Points that clients come to often. */
const BUSY_POINTS: readonly FaultPoint[] = [
  "putIfAbsent commit",
  "get commit",
  "get lastCheckpoint",
  "listNames log",
  "putIfAbsent stream",
];

function faultsAt(point: FaultPoint): fc.Arbitrary<PlannedFault> {
  return fc.record({
    client: fc.nat(MAX_CLIENTS - 1),
    point: fc.constant(point),
    nth: fc.nat(BUSY_POINTS.includes(point) ? 5 : 2),
    kind: fc.constantFrom<FaultKind>(...FAULT_POINTS[point]),
    size: fc.oneof(fc.nat(20), fc.nat(1000)),
  });
}

const faultAtOne = (points: readonly FaultPoint[]): fc.Arbitrary<PlannedFault> =>
  fc.oneof(...points.map((point) => ({ weight: POINT_WEIGHTS[point] ?? 2, arbitrary: faultsAt(point) })));

const tableFault = faultAtOne(Object.keys(TABLE_POINTS) as FaultPoint[]);
const jobFault = faultAtOne([
  ...(Object.keys(JOB_POINTS) as FaultPoint[]),
  "putIfAbsent commit",
  "get commit",
  "listNames log",
]);

const changeFault = faultAtOne([
  ...(Object.keys(CHANGE_POINTS) as FaultPoint[]),
  "putIfAbsent commit",
  "putNew data",
  "get data",
  "get commit",
  "get checkpoint",
  "put checkpoint",
  "put lastCheckpoint",
  "listNames log",
  "list log",
  "delete data",
]);

const sometimes = fc.integer({ min: 0, max: 3 }).map((drawn) => drawn === 3);

/** Commits are only asked for by name where a listing lacks some, so the two come together. */
const gapArbitrary: fc.Arbitrary<PlannedFault[]> = fc
  .tuple(fc.nat(5), fc.nat(1000), faultsAt("head commit"))
  .map(([nth, size, head]) => [
    { ...head, nth: 0 },
    { client: head.client, point: "listNames log", nth, kind: "blurred", size },
  ]);

/** Schedules of one table. */
const tablePlan: fc.Arbitrary<Plan> = fc.record({
  checkpointInterval: fc.constantFrom(100, 100, 5, 3, 3, 2, 1),
  jitter: fc.nat(1_000_000),
  clients: fc.array(clientArbitrary("weight", 6), { minLength: 1, maxLength: MAX_CLIENTS, size: "max" }),
  faults: fc
    .tuple(fc.array(tableFault, { maxLength: 20, size: "max" }), fc.array(gapArbitrary, { maxLength: 2, size: "max" }))
    .map(([faults, gaps]) => [...faults, ...gaps.flat()]),
});

/** Schedules of loads, streams and jobs with offsets, beside appends. */
const jobPlan: fc.Arbitrary<Plan> = fc.record({
  checkpointInterval: fc.constantFrom(100, 5, 3, 2),
  jitter: fc.nat(1_000_000),
  clients: fc.array(clientArbitrary("jobWeight", 4), { minLength: 1, maxLength: MAX_CLIENTS, size: "max" }),
  faults: fc.array(jobFault, { maxLength: 24, size: "max" }),
});

/** Schedules that change rows, and have time pass, so that files and versions go. */
const changePlan: fc.Arbitrary<Plan> = fc.record({
  table: fc.record({
    partitioned: fc.boolean(),
    vectors: fc.boolean(),
    inCommitTimestamps: sometimes,
    rowTracking: sometimes,
    writeSerializable: sometimes,
    v2Checkpoints: sometimes,
  }),
  checkpointInterval: fc.constantFrom(100, 5, 3, 3, 2, 1),
  jitter: fc.nat(1_000_000),
  clients: fc.array(clientArbitrary("changeWeight", 7, longPause), {
    minLength: 1,
    maxLength: MAX_CLIENTS,
    size: "max",
  }),
  faults: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(changeFault, { maxLength: 16, size: "max" }) },
  ),
});

/** The schedules of one table and of jobs. */
const appendPlan: fc.Arbitrary<Plan> = fc.oneof({ weight: 3, arbitrary: tablePlan }, { weight: 1, arbitrary: jobPlan });

/** Of each 100,000 seeds the second half is of schedules that change rows. */
const FIRST_OF_CHANGES = 50_000;

export function changesRows(seed: number): boolean {
  return seed % 100_000 >= FIRST_OF_CHANGES;
}

/** The schedules that a seed is drawn from. */
export function planArbitrary(seed: number): fc.Arbitrary<Plan> {
  return changesRows(seed) ? changePlan : appendPlan;
}
