import { Schema } from "apache-arrow";
import { fromArrowSchema } from "../arrow/schema.js";
import { withoutColumnMapping } from "../schema/columnMapping.js";
import { type SchemaLiteral, schemaOf } from "../schema/literal.js";
import type { StructType } from "../schema/types.js";

/** A schema as people give it: Delta's own, a literal such as `{ id: "long", name: "string" }`, or an Arrow schema. */
export type SchemaOption = StructType | SchemaLiteral | Schema;

/** The Delta schema of a schema option; where another table has the columns in its files says nothing here. Throws `DELTA_INVALID_SCHEMA`. */
export function schemaFrom(option: SchemaOption): StructType {
  return isArrowSchema(option) ? fromArrowSchema(option) : withoutColumnMapping(schemaOf(option));
}

// By shape as well: another copy of apache-arrow in the same process is common.
function isArrowSchema(option: SchemaOption): option is Schema {
  return option instanceof Schema || ("fields" in option && "dictionaries" in option && "metadata" in option);
}
