import { DeltaError } from "../errors.js";
import type { Metadata, Protocol } from "../log/actions.js";
import { checkReadable } from "../log/features.js";
import { parseSchema } from "../schema/json.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import type { Findings } from "./findings.js";

/** A version's schema with the names that data files, partition values and statistics have. */
export interface TableShape {
  /** Undefined where it can't be read: then nothing that needs a type is checked. */
  readonly schema: StructType | undefined;
  /** By their physical names. */
  readonly partitionColumns: readonly string[];
}

/** Finds the physical schema (PROTOCOL.md, Column Mapping), and reports a schema that is wrong or unknown. */
export function tableShape(metadata: Metadata, version: number, findings: Findings): TableShape {
  const { partitionColumns, configuration, schemaString } = metadata;
  let logical: StructType;
  try {
    logical = parseSchema(schemaString);
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
    if (error.code === "DELTA_UNSUPPORTED_FEATURES_FOR_READ") {
      findings.add("not-checked", `${error.message} Values and statistics aren't checked.`, { version }, error.data);
    } else findings.add("schema-unreadable", error.message, { version }, error.data);
    return { schema: undefined, partitionColumns };
  }
  const unknown = partitionColumns.filter((name) => !logical.fields.some((field) => field.name === name));
  for (const column of unknown) {
    const message = `The table is partitioned by "${column}", which its schema lacks.`;
    findings.add("partition-column-unknown", message, { version, column });
  }
  const isMapped = ["name", "id"].includes(configuration["delta.columnMapping.mode"] ?? "none");
  if (!isMapped) return { schema: logical, partitionColumns };
  const physicalOf = (name: string) => {
    const field = logical.fields.find((candidate) => candidate.name === name);
    return field === undefined ? name : physicalName(field);
  };
  return { schema: physicalStruct(logical), partitionColumns: partitionColumns.map(physicalOf) };
}

function physicalStruct({ type, fields }: StructType): StructType {
  return {
    type,
    fields: fields.map((field) => ({ ...field, name: physicalName(field), type: physicalType(field.type) })),
  };
}

function physicalType(type: DataType): DataType {
  if (typeof type === "string") return type;
  if (type.type === "struct") return physicalStruct(type);
  if (type.type === "array") return { ...type, elementType: physicalType(type.elementType) };
  return { ...type, keyType: physicalType(type.keyType), valueType: physicalType(type.valueType) };
}

function physicalName({ name, metadata }: StructField): string {
  const physical = metadata["delta.columnMapping.physicalName"];
  return typeof physical === "string" ? physical : name;
}

/** Reports what of the newest state's protocol, features and constraints this release can't check. */
export function checkShape(protocol: Protocol, metadata: Metadata, version: number, findings: Findings): void {
  try {
    checkReadable(protocol, metadata);
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
    const code = error.code === "DELTA_UNSUPPORTED_FEATURES_FOR_READ" ? "features-unsupported" : "protocol-invalid";
    findings.add(code, error.message, { version }, error.data);
  }
  for (const name of Object.keys(metadata.configuration).filter((key) => key.startsWith("delta.constraints."))) {
    const constraint = name.slice("delta.constraints.".length);
    findings.add("not-checked", `The CHECK constraint ${constraint} isn't checked.`, { version }, { constraint });
  }
  for (const key of ["delta.invariants", "delta.generationExpression"]) {
    if (!metadata.schemaString.includes(`"${key}"`)) continue;
    findings.add("not-checked", `What columns' ${key} demand isn't checked.`, { version }, { key });
  }
}
