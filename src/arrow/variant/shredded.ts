import {
  type Data,
  type DataType,
  type Decimal,
  type Field,
  type Int,
  type Struct,
  type Timestamp,
  TimeUnit,
  Type,
} from "apache-arrow";
import { isSet, isValid, type Validity, validityOf } from "../bits.js";
import { compareBytes } from "../bytes.js";
import type { ByteWriter } from "../byteWriter.js";
import { offsetsOf } from "../column.js";
import { readInt128, wordsOf } from "../int128.js";
import { writeJsonString } from "../jsonString.js";
import type { ValueWriter } from "../scalarText.js";
import { VariantError } from "./error.js";
import type { VariantNames } from "./names.js";
import {
  writeBase64,
  writeDate,
  writeDecimal,
  writeFloat,
  writeMicros,
  writeNanos,
  writeTime,
  writeUuid,
} from "./scalars.js";
import { type VariantObject, VariantValue } from "./value.js";

const [COMMA, COLON] = [0x2c, 0x3a];

/** What the parts of a variant have in common. */
export interface VariantContext {
  readonly out: ByteWriter;
  readonly names: VariantNames;
}

/** A column of variants, or of what one of their members was shredded into. */
export interface VariantPart {
  /** False where the member is absent. */
  has(index: number): boolean;
  /** Writes the value's JSON; that of an absent one is null. */
  write(index: number): void;
}

/** A binary column as its bytes. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
  readonly validity: Validity | undefined;
}

/** Throws a {@link VariantError} where the column isn't binary. */
export function bytesOf(data: Data): Bytes {
  if (data.typeId !== Type.Binary) throw new VariantError(`a variant's bytes are stored as ${data.type}`);
  return {
    bytes: data.values as unknown as Uint8Array,
    offsets: offsetsOf(data) as Int32Array,
    validity: validityOf(data),
  };
}

/** The child of a group by its name. */
export function childOf(group: Data, name: string): Data | undefined {
  const fields = (group.type as Struct).children as readonly Field[];
  return group.children[fields.findIndex((field) => field.name === name)];
}

/**
 * Reads a group of `value` and `typed_value`, of which either may be missing (parquet-format, VariantShredding.md). Throws a
 * {@link VariantError} where the columns, or later their values, are none that a variant may have.
 */
export function variantPart(context: VariantContext, group: Data): VariantPart {
  if (group.typeId !== Type.Struct) throw new VariantError(`a variant's part is stored as ${group.type}`);
  const value = childOf(group, "value");
  const typed = childOf(group, "typed_value");
  const plain = value && plainPart(context, bytesOf(value));
  if (typed === undefined) return plain ?? { has: () => false, write: () => context.out.ascii("null") };
  return typed.typeId === Type.Struct ? objectPart(context, typed, plain) : shreddedPart(context, typed, plain);
}

interface PlainPart extends VariantPart {
  object(index: number): VariantObject;
}

function plainPart({ out, names }: VariantContext, { bytes, offsets, validity }: Bytes): PlainPart {
  const value = new VariantValue(out, bytes, names);
  return {
    has: (i) => isValid(validity, i),
    write: (i) => (isValid(validity, i) ? value.write(offsets[i]!, offsets[i + 1]!) : out.ascii("null")),
    object: (i) => value.object(offsets[i]!, offsets[i + 1]!),
  };
}

/** Values of one type in `typed`, others in `plain`. */
function shreddedPart(context: VariantContext, typed: Data, plain: PlainPart | undefined): VariantPart {
  const { out } = context;
  const validity = validityOf(typed);
  const write = typed.typeId === Type.List ? arrayWriter(context, typed) : scalarWriter(typed);
  return {
    has: (i) => isValid(validity, i) || plain?.has(i) === true,
    write(i) {
      if (!isValid(validity, i)) {
        if (plain === undefined) out.ascii("null");
        else plain.write(i);
        return;
      }
      if (plain?.has(i)) throw new VariantError("a variant has two values in one place");
      write(out, i);
    },
  };
}

function arrayWriter(context: VariantContext, list: Data): ValueWriter {
  const offsets = offsetsOf(list);
  const element = variantPart(context, list.children[0]!);
  return (out, i) => {
    const [start, end] = [Number(offsets[i]), Number(offsets[i + 1])];
    out.byte(0x5b);
    for (let item = start; item < end; item++) {
      if (item > start) out.byte(COMMA);
      element.write(item);
    }
    out.byte(0x5d);
  };
}

interface Member {
  readonly name: Uint8Array;
  readonly part: VariantPart;
  readonly validity: Validity | undefined;
}

/** Objects whose members are in `typed`, others of their members in `plain`, as are values that are no objects. */
function objectPart(context: VariantContext, typed: Data, plain: PlainPart | undefined): VariantPart {
  const { out } = context;
  const validity = validityOf(typed);
  const members = membersOf(context, typed);
  return {
    has: (i) => isValid(validity, i) || plain?.has(i) === true,
    write(i) {
      if (isValid(validity, i)) writeObject(context, members, i, plain?.has(i) ? plain.object(i) : undefined);
      else if (plain === undefined) out.ascii("null");
      else plain.write(i);
    },
  };
}

/** In the order that the members of objects have. */
function membersOf(context: VariantContext, typed: Data): readonly Member[] {
  const fields = (typed.type as Struct).children as readonly Field[];
  const members = fields.map(({ name }, index) => {
    const group = typed.children[index]!;
    return { name: new TextEncoder().encode(name), part: variantPart(context, group), validity: validityOf(group) };
  });
  return members.sort((a, b) => compareBytes(a.name, 0, a.name.length, b.name, 0, b.name.length));
}

/** Both have their members in the order of names; of two with one name, the shredded one counts. */
function writeObject(
  context: VariantContext,
  members: readonly Member[],
  index: number,
  rest: VariantObject | undefined,
): void {
  const { out, names } = context;
  let written = 0;
  let next = 0;
  const begin = () => {
    if (written++ > 0) out.byte(COMMA);
  };
  const writeRest = (until: Uint8Array | undefined) => {
    for (; rest !== undefined && next < rest.count; next++) {
      const id = rest.nameAt(next);
      const order = until === undefined ? -1 : names.compare(id, until);
      if (order > 0) return;
      if (order === 0) continue;
      begin();
      names.write(out, id);
      out.byte(COLON);
      rest.writeAt(next);
    }
  };
  out.byte(0x7b);
  for (const { name, part, validity } of members) {
    if (!isValid(validity, index) || !part.has(index)) continue;
    writeRest(name);
    begin();
    writeJsonString(out, name, 0, name.length);
    out.byte(COLON);
    part.write(index);
  }
  writeRest(undefined);
  out.byte(0x7d);
}

/** Writes the values of a primitive column (VariantShredding.md, Shredded Value Types). */
function scalarWriter(data: Data): ValueWriter {
  const make = SCALARS[data.typeId as keyof typeof SCALARS]?.(data);
  if (make === undefined) throw new VariantError(`a variant was shredded into ${data.type}, which it can't be`);
  return make;
}

const SCALARS: { readonly [type in Type]?: (data: Data) => ValueWriter | undefined } = {
  [Type.Bool]: (data) => {
    const bits = { bits: data.values as unknown as Uint8Array, offset: data.offset };
    return (out, i) => out.ascii(isSet(bits, i) ? "true" : "false");
  },
  [Type.Int]: (data) => {
    if (!(data.type as Int).isSigned) return undefined;
    const values = data.values as unknown as ArrayLike<number | bigint>;
    return (out, i) => out.ascii(String(values[i]));
  },
  [Type.Float]: (data) => {
    const values: unknown = data.values;
    if (!(values instanceof Float32Array || values instanceof Float64Array)) return undefined;
    return (out, i) => writeFloat(out, values[i]!, values instanceof Float32Array);
  },
  [Type.Decimal]: (data) => {
    const { bitWidth, scale } = data.type as unknown as Decimal;
    if (bitWidth !== 128) return undefined;
    const words = wordsOf(data);
    return (out, i) => writeDecimal(out, readInt128(words, i), scale);
  },
  [Type.Date]: (data) => {
    const days = data.values as unknown as Int32Array;
    return days instanceof Int32Array ? (out, i) => writeDate(out, days[i]!) : undefined;
  },
  [Type.Time]: (data) => {
    const micros = data.values as unknown as BigInt64Array;
    return isUnit(data.type, TimeUnit.MICROSECOND) ? (out, i) => writeTime(out, micros[i]!) : undefined;
  },
  [Type.Timestamp]: (data) => {
    const values = data.values as unknown as BigInt64Array;
    const zone = (data.type as Timestamp).timezone ? "Z" : "";
    if (isUnit(data.type, TimeUnit.NANOSECOND)) return (out, i) => writeNanos(out, values[i]!, zone);
    return isUnit(data.type, TimeUnit.MICROSECOND) ? (out, i) => writeMicros(out, values[i]!, zone) : undefined;
  },
  [Type.Utf8]: (data) => {
    const bytes = data.values as unknown as Uint8Array;
    const offsets = offsetsOf(data) as Int32Array;
    return (out, i) => writeJsonString(out, bytes, offsets[i]!, offsets[i + 1]!);
  },
  [Type.Binary]: (data) => {
    const { bytes, offsets } = bytesOf(data);
    return (out, i) => writeBase64(out, bytes, offsets[i]!, offsets[i + 1]!);
  },
  [Type.FixedSizeBinary]: (data) => {
    const bytes = data.values as unknown as Uint8Array;
    return data.stride === 16 ? (out, i) => writeUuid(out, bytes, 16 * i) : undefined;
  },
};

function isUnit(type: DataType, unit: TimeUnit): boolean {
  return (type as Timestamp).unit === unit;
}
