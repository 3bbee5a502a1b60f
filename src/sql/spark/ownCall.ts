import type { DataType } from "../../schema/types.js";
import { OWN_PREFIX } from "./own/own.js";
import { type Typed, typed } from "./typed.js";

/** A call of a function of our own. */
export function own(name: string, type: DataType, args: readonly Typed[], mayFail = false): Typed {
  return typed(`${OWN_PREFIX}${name}(${args.map(({ sql }) => sql).join(", ")})`, type, args, mayFail);
}
