/** Where a process is killed: before, in the middle of, or after its nth call of a kind. See killHook.mjs. */
export interface Point {
  readonly call: "create" | "write" | "flush" | "close" | "link" | "unlink" | "rename" | "mkdir";
  /** What the call is on, where that makes a difference. */
  readonly of?: "data" | "temp" | "folder";
  readonly moment: "before" | "during" | "after";
}

const KINDS: readonly (readonly [Point["call"], Point["of"], readonly Point["moment"][]])[] = [
  ["mkdir", undefined, ["before", "after"]],
  ["create", "data", ["before", "after"]],
  ["write", "data", ["before", "during", "after"]],
  ["flush", "data", ["before", "during", "after"]],
  ["close", "data", ["before", "after"]],
  ["create", "temp", ["before", "after"]],
  ["write", "temp", ["before", "during", "after"]],
  ["flush", "temp", ["before", "during", "after"]],
  ["close", "temp", ["before", "after"]],
  ["link", undefined, ["before", "after"]],
  ["unlink", undefined, ["before", "after"]],
  ["flush", "folder", ["before", "during", "after"]],
  ["close", "folder", ["before", "after"]],
  ["rename", undefined, ["before", "after"]],
];

/** All points at which processes are killed, but for those at a time by chance. */
export const POINTS: readonly Point[] = KINDS.flatMap(([call, of, moments]) =>
  moments.map((moment) => ({ call, ...(of === undefined ? {} : { of }), moment })),
);

/** As reports name it. */
export function nameOf(point: Point | undefined): string {
  if (point === undefined) return "at a time by chance";
  const { call, of, moment } = point;
  return `${moment} ${call}${of === undefined ? "" : ` of ${of}`}`;
}
