import type { Data, RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { withVariantJson } from "../../arrow/variant/jsonForm.js";
import type { StructField } from "../../schema/types.js";
import { holdsVariants, variantBytesType } from "../../schema/variantBytes.js";

/** What a column with variants is called where these are their bytes; under its own name they are JSON. */
export function exactName(name: string): string {
  return `merge: bytes of ${name}`;
}

/** Columns as a merge's rows are spooled: those with variants twice, as JSON for expressions and as bytes to be taken over. */
export function spooledFields(fields: readonly StructField[]): readonly StructField[] {
  const exact = fields.flatMap(({ name, type, ...field }) => {
    return holdsVariants(type) ? [{ ...field, name: exactName(name), type: variantBytesType(type) }] : [];
  });
  return exact.length === 0 ? fields : [...fields, ...exact];
}

/** The values of {@link spooledFields}, from those of `fields` with variants as bytes. */
export function spooledColumns(fields: readonly StructField[], batch: RecordBatch): readonly Data[] {
  const { children } = batch.data;
  const exact = fields.flatMap(({ type }, i) => (holdsVariants(type) ? [children[i]!] : []));
  return exact.length === 0 ? children : [...withVariantJson(batch).data.children, ...exact];
}

/** A batch of some columns of another one, by name. */
export function selected(batch: RecordBatch, fields: readonly StructField[]): RecordBatch {
  const places = fields.map(({ name }) => batch.schema.fields.findIndex((field) => field.name === name));
  return makeBatch(
    places.map((place) => batch.schema.fields[place]!),
    places.map((place) => batch.data.children[place]!),
    batch.numRows,
  );
}
