import { DeltaError } from "../errors.js";
import type { Metadata, Protocol } from "../log/actions.js";
import { checkReadable, type ReadAccess } from "../log/features.js";
import { type ColumnMappingMode, physicalName, physicalSchema } from "../schema/columnMapping.js";
import { parseSchema } from "../schema/json.js";
import type { StructType } from "../schema/types.js";
import type { Findings } from "./findings.js";

/** A version's schema with the names that data files, partition values and statistics have. */
export interface TableShape {
  /** Undefined where it can't be read: then nothing that needs a type is checked. */
  readonly schema: StructType | undefined;
  /** By ids, files may have other names yet. */
  readonly columnMapping: ColumnMappingMode;
  /** By their physical names. */
  readonly partitionColumns: readonly string[];
}

const MODES: readonly ColumnMappingMode[] = ["name", "id"];

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
    return { schema: undefined, columnMapping: "none", partitionColumns };
  }
  const unknown = partitionColumns.filter((name) => !logical.fields.some((field) => field.name === name));
  for (const column of unknown) {
    const message = `The table is partitioned by "${column}", which its schema lacks.`;
    findings.add("partition-column-unknown", message, { version, column });
  }
  const columnMapping = MODES.find((mode) => mode === configuration["delta.columnMapping.mode"]) ?? "none";
  const physicalOf = (name: string) => {
    const field = logical.fields.find((candidate) => candidate.name === name);
    return field === undefined ? name : physicalName(field, columnMapping);
  };
  return {
    schema: physicalSchema(logical, columnMapping),
    columnMapping,
    partitionColumns: partitionColumns.map(physicalOf),
  };
}

/** Reports what of the newest state's protocol, features and constraints this release can't check. */
export function checkShape(
  protocol: Protocol,
  metadata: Metadata,
  version: number,
  findings: Findings,
  access: ReadAccess,
): void {
  try {
    checkReadable(protocol, metadata, access);
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
