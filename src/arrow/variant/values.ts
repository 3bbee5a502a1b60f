import { limits } from "../../limits.js";
import { Timestamp } from "../timestamp.js";
import { VariantError } from "./error.js";
import { writeJson } from "./json.js";
import { writeNumber } from "./number.js";
import { PRIMITIVE, type VariantWriter, type WrittenMember } from "./writer.js";

/** A variant as a JavaScript value that keeps all of it: its bytes. */
export class EncodedVariant {
  readonly metadata: Uint8Array;
  readonly value: Uint8Array;

  constructor(metadata: Uint8Array, value: Uint8Array) {
    this.metadata = metadata;
    this.value = value;
  }
}

/** A variant as the text of its JSON, all digits of its numbers kept. */
export class VariantJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Writes a JavaScript value as a variant. Numbers are what their texts stand for, see {@link writeNumber}; NaN and the infinities are
 * doubles, dates timestamps, and members without a value are left out. Throws a {@link VariantError} for what no variant holds.
 */
export function writeValue(out: VariantWriter, value: unknown, depth = 0): void {
  if (depth > limits.MAX_JSON_DEPTH) throw new VariantError(`it nests more than ${limits.MAX_JSON_DEPTH} deep`);
  switch (typeof value) {
    case "undefined":
      out.null();
      return;
    case "boolean":
      out.boolean(value);
      return;
    case "number":
      if (Number.isFinite(value)) writeNumber(out, String(value));
      else out.double(value);
      return;
    case "bigint":
      if (!out.integer(value)) throw new VariantError("it has more than 38 digits");
      return;
    case "string":
      out.text(value);
      return;
    case "object":
      writeObject(out, value, depth);
      return;
    default:
      throw new VariantError(`a ${typeof value} is no variant`);
  }
}

function writeObject(out: VariantWriter, value: object | null, depth: number): void {
  if (value === null) out.null();
  else if (value instanceof Date) out.int64(PRIMITIVE.timestamp, microsOf(value));
  else if (value instanceof Uint8Array) out.binary(value);
  else if (value instanceof VariantJson) writeJson(out, value.text);
  else if (Array.isArray(value)) writeArray(out, value, depth);
  else if (value instanceof Map) writeMembers(out, value, depth);
  else if (isPlain(value)) writeMembers(out, Object.entries(value), depth);
  else throw new VariantError(`an object of the class ${value.constructor?.name} is no variant`);
}

function writeArray(out: VariantWriter, items: readonly unknown[], depth: number): void {
  const start = out.length;
  const offsets: number[] = [];
  for (const item of items) {
    offsets.push(out.length - start);
    writeValue(out, item, depth + 1);
  }
  out.wrapArray(start, offsets);
}

function writeMembers(out: VariantWriter, entries: Iterable<readonly [unknown, unknown]>, depth: number): void {
  const start = out.length;
  const members: WrittenMember[] = [];
  for (const [name, value] of entries) {
    if (typeof name !== "string") throw new VariantError("a name that is no text can't be a member's");
    if (value === undefined) continue;
    members.push({ id: out.nameId(name), offset: out.length - start });
    writeValue(out, value, depth + 1);
  }
  out.wrapObject(start, members);
}

function microsOf(date: Date): bigint {
  if (Number.isNaN(date.getTime())) throw new VariantError("it is no date");
  return date instanceof Timestamp ? date.toMicroseconds() : BigInt(date.getTime()) * 1000n;
}

/** Objects with members of their own, whatever their class; not a Set, RegExp, Float64Array or the like. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer) && Object.keys(value).length > 0;
}
