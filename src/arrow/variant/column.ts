import { isUtf8 } from "node:buffer";
import { type DataType as ArrowType, type Data, Type } from "apache-arrow";
import { isValid, validityOf } from "../bits.js";
import { ByteWriter } from "../byteWriter.js";
import { makeColumn } from "../column.js";
import { VariantError } from "./error.js";
import { VariantNames } from "./names.js";
import { bytesOf, childOf, variantPart } from "./shredded.js";

/**
 * A column of variants, as Parquet stores them, as one of JSON texts, `target`. Members of objects are in the order of their names'
 * bytes. Numbers that JSON lacks (NaN), binaries (base64), dates, times and UUIDs are strings; decimals are numbers with all
 * their digits. Undefined for a column that is no variant's; throws a {@link VariantError} for one that is damaged.
 */
export function variantColumn(data: Data, target: ArrowType): Data | undefined {
  const metadata = data.typeId === Type.Struct ? childOf(data, "metadata") : undefined;
  if (metadata === undefined) return undefined;
  const validity = validityOf(data);
  const { bytes, offsets: starts, validity: hasNames } = bytesOf(metadata);
  const out = new ByteWriter(64 * Math.max(16, data.length - data.nullCount));
  const names = new VariantNames(bytes);
  const part = variantPart({ out, names }, data);
  const offsets = new Int32Array(data.length + 1);
  for (let i = 0; i < data.length; i++) {
    if (isValid(validity, i)) {
      if (!isValid(hasNames, i)) throw new VariantError("a variant has no metadata");
      names.open(starts[i]!, starts[i + 1]!);
      part.write(i);
    }
    offsets[i + 1] = out.length;
  }
  const values = out.take();
  if (!isUtf8(values)) throw new VariantError("a variant's text isn't UTF-8");
  return makeColumn(target, data.length, validity, { offsets, values }, data.nullCount);
}
