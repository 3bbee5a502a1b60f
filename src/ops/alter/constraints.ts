import { DeltaError, hasCode } from "../../errors.js";
import { loaded } from "../../lazy.js";
import type { Metadata, Protocol } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { protocolWith } from "../../log/protocolUpgrade.js";
import type { Snapshot } from "../../log/snapshot.js";
import type { StructType } from "../../schema/types.js";
import type { ReadSet } from "../../write/conflicts.js";
import { CONSTRAINT_PREFIX, withoutRules } from "../../write/rowRules.js";
import { rowsOf, Scan } from "../scan.js";
import { type AlterOptions, type AlterResult, alterTable } from "./alterTable.js";

/** What a change depends on that has looked at every row. */
const EVERY_ROW: ReadSet = { mayMatch: () => true, files: "all" };

/** Implements `TableAlter.addConstraint`; see there. */
export function addConstraint(
  log: DeltaLog,
  name: string,
  expression: string,
  options: AlterOptions,
): Promise<AlterResult> {
  const key = keyOf(name);
  return alterTable(log, options, async (snapshot) => {
    const { configuration } = snapshot.metadata;
    if (foundKey(configuration, key) !== undefined) {
      throw new DeltaError(
        "DELTA_CONSTRAINT_ALREADY_EXISTS",
        `The table has a constraint ${name} already. Drop it first.`,
        { constraint: name },
      );
    }
    const metadata = { ...snapshot.metadata, configuration: { ...configuration, [key]: expression } };
    const protocol = protocolWith(snapshot.protocol, ["checkConstraints"]);
    await checkRows(snapshot, { protocol, name, key, expression }, options.signal);
    return {
      protocol,
      metadata,
      reads: EVERY_ROW,
      operation: "ADD CONSTRAINT",
      operationParameters: { name, expr: expression },
    };
  });
}

/** Implements `TableAlter.dropConstraint`; see there. */
export function dropConstraint(
  log: DeltaLog,
  name: string,
  options: AlterOptions & { readonly ifExists?: boolean },
): Promise<AlterResult> {
  return alterTable(log, options, ({ metadata }) => {
    const key = foundKey(metadata.configuration, keyOf(name));
    if (key === undefined) {
      if (options.ifExists) return undefined;
      throw new DeltaError("DELTA_CONSTRAINT_DOES_NOT_EXIST", `The table has no constraint ${name}.`, {
        constraint: name,
      });
    }
    const { [key]: expr, ...configuration } = metadata.configuration;
    const changed: Metadata = { ...metadata, configuration };
    return {
      metadata: changed,
      operation: "DROP CONSTRAINT",
      operationParameters: { name, expr: String(expr), existed: "true" },
    };
  });
}

/** Names ignore case; Delta keeps them in lower case. */
function keyOf(name: string): string {
  if (name !== "") return CONSTRAINT_PREFIX + name.toLowerCase();
  throw new DeltaError("DELTA_INVALID_ARGUMENT", "A constraint has a name.", { name });
}

function foundKey(configuration: Metadata["configuration"], key: string): string | undefined {
  return Object.keys(configuration).find((each) => each.toLowerCase() === key);
}

interface Constraint {
  readonly protocol: Protocol;
  readonly name: string;
  readonly key: string;
  readonly expression: string;
}

/** Throws `DELTA_NEW_CHECK_CONSTRAINT_VIOLATION` where a row that is there breaks the constraint. Reads the columns that it names only. */
async function checkRows(
  snapshot: Snapshot,
  { protocol, name, key, expression }: Constraint,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [{ checkConstraintExpression }, { rulesOf }] = await loaded(
    () => Promise.all([import("../../sql/spark/expression.js"), import("../../sql/rules/rulesOf.js")]),
    "The part that checks constraints",
  );
  const plain = withoutRules(snapshot.schema);
  const { columns } = checkConstraintExpression(expression, plain);
  const named = plain.fields.filter((field) => columns.includes(field.name));
  const schema: StructType = { type: "struct", fields: named.length > 0 ? named : plain.fields.slice(0, 1) };
  const metadata = { ...snapshot.metadata, schemaString: "", configuration: { [key]: expression } };
  const rules = rulesOf({ protocol, metadata, schema });
  const scan = new Scan(async () => rowsOf(snapshot), { columns: schema.fields.map((field) => field.name), signal });
  try {
    for await (const batch of scan.batches()) await rules.complete(batch, { isRewrite: true });
  } catch (error) {
    if (!hasCode(error, "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES")) throw error;
    throw new DeltaError(
      "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION",
      `Rows of the table break the constraint ${name} (${expression}). Mend or delete them first.`,
      { ...error.data, constraint: name, expression },
      error,
    );
  }
}
