import type { DataType } from "../../schema/types.js";
import type { IntervalNode } from "./tree.js";

/** A part of an expression as DuckDB's SQL, and the type that Spark gives it. Both kinds of timestamps are TIMESTAMP, in UTC. */
export interface Typed {
  readonly sql: string;
  readonly type: DataType;
  /** Of a literal: numbers as their digits. */
  readonly literal?: string | undefined;
  /** Where it is a fixed time. */
  readonly interval?: IntervalNode;
  /** Where it is a time that passes: what its number counts. */
  readonly duration?: "micros" | "months";
  /** True where some values end in an error, so that it must not be evaluated where Spark doesn't. */
  readonly mayFail: boolean;
}

/** What is wrong with an expression; its text is added by who knows it. */
export class Refusal {
  readonly kind: "unsupported" | "invalid";
  readonly why: string;

  constructor(kind: "unsupported" | "invalid", why: string) {
    this.kind = kind;
    this.why = why;
  }
}

/** For what this release can't evaluate as Spark does. */
export function unsupported(why: string): Refusal {
  return new Refusal("unsupported", why);
}

/** For what Spark refuses as well. */
export function invalid(why: string): Refusal {
  return new Refusal("invalid", why);
}

export function typeText(type: DataType): string {
  return typeof type === "string" ? type : type.type;
}

/** A value that comes of others. */
export function typed(sql: string, type: DataType, from: readonly Typed[], mayFail = false): Typed {
  return { sql, type, mayFail: mayFail || from.some((part) => part.mayFail) };
}
