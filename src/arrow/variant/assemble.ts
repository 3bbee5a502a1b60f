import { Buffer } from "node:buffer";
import {
  type Data,
  type Decimal,
  type Field,
  type Int,
  type Struct,
  type Timestamp,
  TimeUnit,
  Type,
} from "apache-arrow";
import { isSet, isValid, validityOf } from "../bits.js";
import { offsetsOf } from "../column.js";
import { readInt128, wordsOf } from "../int128.js";
import { VariantError } from "./error.js";
import { membersOf } from "./members.js";
import { VariantNames } from "./names.js";
import { type Bytes, bytesOf, childOf } from "./shredded.js";
import { PRIMITIVE, type VariantWriter, type WrittenMember } from "./writer.js";

type Writer = (out: VariantWriter, index: number) => void;

/** A column of variants, or of what one of their members was shredded into. */
interface Part {
  /** False where the member is absent. */
  readonly has: (index: number) => boolean;
  /** Writes the value; that of an absent one is null. */
  readonly write: Writer;
}

/**
 * Puts shredded variants together again, as bytes (parquet-format, VariantShredding.md): the names are those of their metadata and, behind
 * them, those of columns that it lacks, so that what is left in bytes stays as it is. What it gives writes a row's variant, and gives its
 * metadata. Throws a {@link VariantError}, it too, for what is none.
 */
export function assembler(data: Data, metadata: Bytes): (out: VariantWriter, index: number) => Uint8Array {
  const names = new VariantNames(metadata.bytes);
  const part = partOf(data, names);
  return (out, i) => {
    names.open(metadata.offsets[i]!, metadata.offsets[i + 1]!);
    out.begin(names.all());
    part.write(out, i);
    return out.end(true);
  };
}

function partOf(group: Data, names: VariantNames): Part {
  if (group.typeId !== Type.Struct) throw new VariantError(`a variant's part is stored as ${group.type}`);
  const value = childOf(group, "value");
  const typed = childOf(group, "typed_value");
  const rest = value && bytesOf(value);
  const hasRest = (i: number) => rest !== undefined && isValid(rest.validity, i);
  const restOf = (i: number) => rest!.bytes.subarray(rest!.offsets[i], rest!.offsets[i + 1]);
  const writeRest: Writer = (out, i) => (hasRest(i) ? out.encoded(restOf(i)) : out.null());
  if (typed === undefined) return { has: hasRest, write: writeRest };
  const validity = validityOf(typed);
  const isTyped = (i: number) => isValid(validity, i);
  const has = (i: number) => isTyped(i) || hasRest(i);
  if (typed.typeId === Type.Struct) {
    const writeObject = objectWriter(typed, names);
    const write: Writer = (out, i) => {
      if (isTyped(i)) writeObject(out, i, hasRest(i) ? restOf(i) : undefined);
      else writeRest(out, i);
    };
    return { has, write };
  }
  const writeTyped = typed.typeId === Type.List ? arrayWriter(typed, names) : scalarWriter(typed);
  const write: Writer = (out, i) => {
    if (!isTyped(i)) writeRest(out, i);
    else if (hasRest(i)) throw new VariantError("a variant has two values in one place");
    else writeTyped(out, i);
  };
  return { has, write };
}

function arrayWriter(list: Data, names: VariantNames): Writer {
  const offsets = offsetsOf(list);
  const element = partOf(list.children[0]!, names);
  return (out, i) => {
    const start = out.length;
    const starts: number[] = [];
    for (let item = Number(offsets[i]); item < Number(offsets[i + 1]); item++) {
      starts.push(out.length - start);
      element.write(out, item);
    }
    out.wrapArray(start, starts);
  };
}

/** Objects whose members are in `typed`, others of their members in `rest`; of two with one name, the shredded one counts. */
function objectWriter(typed: Data, names: VariantNames) {
  const fields = (typed.type as Struct).children as readonly Field[];
  const columns = fields.map(({ name }, index) => {
    const group = typed.children[index]!;
    return { name: Buffer.from(name), part: partOf(group, names), validity: validityOf(group) };
  });
  return (out: VariantWriter, i: number, rest: Uint8Array | undefined) => {
    const start = out.length;
    const members = new Map<number, WrittenMember>();
    for (const { name, part, validity } of columns) {
      if (!isValid(validity, i) || !part.has(i)) continue;
      const id = out.idOf(name);
      members.set(id, { id, offset: out.length - start });
      part.write(out, i);
    }
    for (const { id, value } of rest === undefined ? [] : membersOf(rest)) {
      const own = out.idOf(names.at(id));
      if (members.has(own)) continue;
      members.set(own, { id: own, offset: out.length - start });
      out.encoded(value);
    }
    out.wrapObject(start, [...members.values()]);
  };
}

/** Writes the values of a primitive column (VariantShredding.md, Shredded Value Types). */
function scalarWriter(data: Data): Writer {
  const make = SCALARS[data.typeId as keyof typeof SCALARS]?.(data);
  if (make === undefined) throw new VariantError(`a variant was shredded into ${data.type}, which it can't be`);
  return make;
}

const SCALARS: { readonly [type in Type]?: (data: Data) => Writer | undefined } = {
  [Type.Bool]: (data) => {
    const bits = { bits: data.values as unknown as Uint8Array, offset: data.offset };
    return (out, i) => out.boolean(isSet(bits, i));
  },
  [Type.Int]: (data) => {
    const { isSigned, bitWidth } = data.type as Int;
    if (!isSigned) return undefined;
    const values = data.values as unknown as ArrayLike<number>;
    if (bitWidth === 8) return (out, i) => out.int8(values[i]!);
    if (bitWidth === 16) return (out, i) => out.int16(values[i]!);
    if (bitWidth === 32) return (out, i) => out.int32(PRIMITIVE.int32, values[i]!);
    return (out, i) => out.int64(PRIMITIVE.int64, BigInt(values[i]!));
  },
  [Type.Float]: (data) => {
    const values: unknown = data.values;
    if (values instanceof Float32Array) return (out, i) => out.float(values[i]!);
    return values instanceof Float64Array ? (out, i) => out.double(values[i]!) : undefined;
  },
  [Type.Decimal]: (data) => {
    const { bitWidth, precision, scale } = data.type as unknown as Decimal;
    if (bitWidth !== 128) return undefined;
    const words = wordsOf(data);
    return (out, i) => out.decimalOf(precision, { unscaled: readInt128(words, i), scale });
  },
  [Type.Date]: (data) => {
    const days: unknown = data.values;
    return days instanceof Int32Array ? (out, i) => out.int32(PRIMITIVE.date, days[i]!) : undefined;
  },
  [Type.Time]: (data) => (unitOf(data) === TimeUnit.MICROSECOND ? timeWriter(data, PRIMITIVE.time) : undefined),
  [Type.Timestamp]: (data) => {
    const hasZone = Boolean((data.type as Timestamp).timezone);
    if (unitOf(data) === TimeUnit.NANOSECOND) {
      return timeWriter(data, hasZone ? PRIMITIVE.timestampNanos : PRIMITIVE.timestampNtzNanos);
    }
    if (unitOf(data) !== TimeUnit.MICROSECOND) return undefined;
    return timeWriter(data, hasZone ? PRIMITIVE.timestamp : PRIMITIVE.timestampNtz);
  },
  [Type.Utf8]: (data) => {
    const bytes = data.values as unknown as Uint8Array;
    const offsets = offsetsOf(data) as Int32Array;
    return (out, i) => out.textBytes(bytes.subarray(offsets[i], offsets[i + 1]));
  },
  [Type.Binary]: (data) => {
    const { bytes, offsets } = bytesOf(data);
    return (out, i) => out.binary(bytes.subarray(offsets[i], offsets[i + 1]));
  },
  [Type.FixedSizeBinary]: (data) => {
    const bytes = data.values as unknown as Uint8Array;
    return data.stride === 16 ? (out, i) => out.uuid(bytes.subarray(16 * i, 16 * i + 16)) : undefined;
  },
};

function timeWriter(data: Data, type: number): Writer {
  const values = data.values as unknown as BigInt64Array;
  return (out, i) => out.int64(type, values[i]!);
}

function unitOf({ type }: Data): TimeUnit {
  return (type as Timestamp).unit;
}
