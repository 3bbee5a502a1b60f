import fc from "../fastCheck.js";
import {
  FAULT_POINTS,
  type FaultKind,
  type FaultPoint,
  JOB_POINTS,
  type PlannedFault,
  TABLE_POINTS,
} from "./faults.js";
import { type Call, VERBS, type VerbName } from "./verbs.js";

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
  /** 0: every way to storage takes as long as any other; else the times are drawn from this seed. */
  readonly jitter: number;
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly PlannedFault[];
}

const MAX_CLIENTS = 3;

const verbNames = Object.keys(VERBS) as VerbName[];

const callArbitrary = (weights: "weight" | "jobWeight"): fc.Arbitrary<PlannedCall> =>
  fc.record({
    verb: fc.oneof(...verbNames.map((name) => ({ weight: VERBS[name][weights], arbitrary: fc.constant(name) }))),
    pick: fc.nat(999),
    isParallel: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 5),
    isFresh: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 5),
    pauseMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(400) }),
  });

const clientArbitrary = (weights: "weight" | "jobWeight", maxLength: number): fc.Arbitrary<ClientPlan> =>
  fc.record({
    skewMs: fc.oneof(fc.constant(0), fc.integer({ min: -3_600_000, max: 3_600_000 })),
    calls: fc.array(callArbitrary(weights), { minLength: 1, maxLength, size: "max" }),
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

/** All schedules. */
export const planArbitrary: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 3, arbitrary: tablePlan },
  { weight: 1, arbitrary: jobPlan },
);
