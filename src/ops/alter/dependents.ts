import { DeltaError } from "../../errors.js";
import { CLUSTERING_DOMAIN, clusteringColumns } from "../../log/clustering.js";
import type { Snapshot } from "../../log/snapshot.js";
import { physicalPath } from "../../schema/columnMapping.js";
import { columnText } from "../../schema/columns.js";
import type { DataType, StructField, StructType } from "../../schema/types.js";

const CONSTRAINTS = "delta.constraints.";
const GENERATION = "delta.generationExpression";
const INVARIANTS = "delta.invariants";

/**
 * Passes if no constraint and no generated column speaks of the column at `path`, or of one in it: their texts would mean nothing any
 * more. Any text that has all the path's names passes for one that does.
 *
 * Throws `DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE` or `DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE`.
 */
export function checkNoDependents({ metadata, schema }: Snapshot, path: readonly string[], verb: string): void {
  const column = columnText(path);
  for (const [key, text] of Object.entries(metadata.configuration)) {
    if (!key.startsWith(CONSTRAINTS) || !speaksOf(text, path)) continue;
    const constraint = key.slice(CONSTRAINTS.length);
    throw new DeltaError(
      "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE",
      `Can't ${verb} the column "${column}": the constraint ${constraint} (${text}) needs it. Drop the constraint first.`,
      { column, constraint, expression: text },
    );
  }
  for (const { field, at } of allFields(schema, [])) {
    const invariant = invariantOf(field);
    if (invariant !== undefined && speaksOf(invariant, path)) {
      throw new DeltaError(
        "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE",
        `Can't ${verb} the column "${column}": the invariant of "${columnText(at)}" needs it.`,
        { column, expression: invariant },
      );
    }
    const expression = field.metadata[GENERATION];
    if (typeof expression !== "string" || !speaksOf(expression, path)) continue;
    throw new DeltaError(
      "DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE",
      `Can't ${verb} the column "${column}": "${columnText(at)}" is generated from it (${expression}).`,
      { column, generated: columnText(at), expression },
    );
  }
}

/** An invariant's text, which stands in JSON. */
function invariantOf({ metadata }: StructField): string | undefined {
  const json = metadata[INVARIANTS];
  if (typeof json !== "string") return undefined;
  const match = /"expression"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(json);
  return match === null ? json : String(JSON.parse(match[1]!));
}

/** Whether the table is clustered by the column at `path`, or by one in it. */
export function isClusteredBy({ domainMetadata, schema, columnMapping }: Snapshot, path: readonly string[]): boolean {
  const physical = physicalPath(schema, path, columnMapping);
  return clusteringColumns(domainMetadata.get(CLUSTERING_DOMAIN)).some((column) =>
    physical.every((name, i) => column[i] === name),
  );
}

/** Names in a SQL text: words, and what stands in backticks or double quotes. */
const NAMES = /`((?:[^`]|``)+)`|"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*)/gu;

function speaksOf(text: string, path: readonly string[]): boolean {
  const names = new Set(
    Array.from(text.matchAll(NAMES), ([, ticks, quoted, word]) =>
      (ticks?.replaceAll("``", "`") ?? quoted ?? word ?? "").toLowerCase(),
    ),
  );
  return path.every((name) => names.has(name.toLowerCase()));
}

function* allFields(
  type: DataType,
  path: readonly string[],
): Generator<{ readonly field: StructField; readonly at: readonly string[] }> {
  if (typeof type === "string") return;
  if (type.type === "array") yield* allFields(type.elementType, [...path, "element"]);
  else if (type.type === "map") {
    yield* allFields(type.keyType, [...path, "key"]);
    yield* allFields(type.valueType, [...path, "value"]);
  } else {
    for (const field of (type as StructType).fields) {
      const at = [...path, field.name];
      yield { field, at };
      yield* allFields(field.type, at);
    }
  }
}
