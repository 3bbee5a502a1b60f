import { Buffer } from "node:buffer";
import { type DataType as ArrowType, type Data, type Field, Type } from "apache-arrow";
import { badValue, type Place } from "../badValue.js";
import { isValid, validityOf } from "../bits.js";
import { makeColumn, offsetsOf } from "../column.js";
import { Nulls } from "../nulls.js";
import { assembler } from "./assemble.js";
import { VariantError } from "./error.js";
import { writeJson } from "./json.js";
import { bytesOf, childOf } from "./shredded.js";
import { EncodedVariant, writeValue } from "./values.js";
import { VariantWriter } from "./writer.js";

/** Writes a row's variant; the metadata, where it isn't the writer's own. */
type RowWriter = (out: VariantWriter, index: number) => Uint8Array | undefined;

/** A column of variants' bytes, `target`, of JavaScript values; null and undefined are null. */
export function buildVariants(values: readonly unknown[], target: ArrowType, place: Place): Data {
  const nulls = new Nulls(values.length);
  for (let i = 0; i < values.length; i++) if (values[i] === null || values[i] === undefined) nulls.add(i);
  return written(target, values.length, nulls.validity, (out, i) => {
    const value = values[i];
    if (value instanceof EncodedVariant) {
      out.encoded(value.value);
      return value.metadata;
    }
    try {
      writeValue(out, value);
      return out.end();
    } catch (error) {
      throw misfit(error, place, i, value);
    }
  });
}

/** The same of JSON texts (Utf8). Throws DELTA_VALUE_OUT_OF_RANGE for a text that is none. */
export function variantsOfJson(texts: Data, target: ArrowType, place: Place): Data {
  const offsets = offsetsOf(texts) as Int32Array;
  const bytes = texts.values as unknown as Uint8Array;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return written(target, texts.length, validityOf(texts), (out, i) => {
    const text = buffer.toString("utf8", offsets[i], offsets[i + 1]);
    try {
      writeJson(out, text);
      return out.end();
    } catch (error) {
      throw misfit(error, place, i, text);
    }
  });
}

/**
 * The same of variants as Parquet stores them: their bytes as they are where they aren't shredded. Undefined for a column that is no
 * variant's; throws a {@link VariantError} for one that is damaged.
 */
export function storedVariants(data: Data, target: ArrowType): Data | undefined {
  const metadata = data.typeId === Type.Struct ? childOf(data, "metadata") : undefined;
  if (metadata === undefined) return undefined;
  const validity = validityOf(data);
  const names = bytesOf(metadata);
  if (!isThere(metadata, data)) throw new VariantError("a variant has no metadata");
  const value = childOf(data, "value");
  const isWhole = value?.typeId === Type.Binary && childOf(data, "typed_value") === undefined;
  if (isWhole && isThere(value, data)) {
    return makeColumn(target, data.length, validity, { children: [plain(metadata), plain(value)] }, data.nullCount);
  }
  const write = assembler(data, names);
  return written(target, data.length, validity, (out, i) => write(out, i));
}

/** Whether a part has a value wherever the struct that it is in is there. */
function isThere(part: Data, struct: Data): boolean {
  const [own, validity] = [validityOf(part), validityOf(struct)];
  if (own === undefined) return true;
  for (let i = 0; i < struct.length; i++) if (isValid(validity, i) && !isValid(own, i)) return false;
  return true;
}

/** Without a bitmap: what is null is so by the struct around it. */
function plain(data: Data): Data {
  const parts = { values: data.values as unknown as Uint8Array, offsets: offsetsOf(data) };
  return makeColumn(data.type, data.length, undefined, parts, 0);
}

function written(target: ArrowType, length: number, validity: ReturnType<typeof validityOf>, write: RowWriter): Data {
  const out = new VariantWriter();
  const [ends, nameEnds] = [new Int32Array(length + 1), new Int32Array(length + 1)];
  const names: Uint8Array[] = [];
  let namesLength = 0;
  for (let i = 0; i < length; i++) {
    if (isValid(validity, i)) {
      out.begin();
      const metadata = write(out, i) ?? out.end();
      names.push(metadata);
      namesLength += metadata.length;
    }
    ends[i + 1] = out.length;
    nameEnds[i + 1] = namesLength;
  }
  const [metadata, value] = (target.children as readonly Field[]).map(({ type }) => type);
  const children = [
    makeColumn(
      metadata!,
      length,
      undefined,
      { offsets: nameEnds, values: bytes(Buffer.concat(names, namesLength)) },
      0,
    ),
    makeColumn(value!, length, undefined, { offsets: ends, values: bytes(out.take()) }, 0),
  ];
  return makeColumn(target, length, validity, { children });
}

/** Not as a Buffer, whose slices are no copies. */
function bytes({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function misfit(error: unknown, place: Place, index: number, value: unknown): unknown {
  return error instanceof VariantError ? badValue(place, index, value, "variant", error.message) : error;
}

/** The variants of a column of their bytes as JavaScript values that keep all of them. */
export function encodedVariants(data: Data): (EncodedVariant | null)[] {
  const validity = validityOf(data);
  const [metadata, value] = data.children.map(bytesOf);
  return Array.from({ length: data.length }, (_, i) => {
    if (!isValid(validity, i)) return null;
    const part = ({ bytes, offsets }: typeof metadata & object) => bytes.slice(offsets[i], offsets[i + 1]);
    return new EncodedVariant(part(metadata!), part(value!));
  });
}
