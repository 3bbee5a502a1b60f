import { columnPath } from "../../ops/alter/columnPath.js";
import { nearestName } from "../../schema/columns.js";
import { parseDdl } from "../../schema/ddl.js";
import type { ColumnPosition } from "../../schema/editSchema.js";
import type { DataType, StructType } from "../../schema/types.js";
import type { CommandRow, Given, Session } from "../command.js";
import { escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";

/** A verb of `delta-table alter`. */
interface AlterVerb {
  readonly name: string;
  /** What stands behind it. */
  readonly operands: readonly string[];
  /** The last of them may be given several times. */
  readonly repeats?: boolean;
  readonly run: (
    alter: Session["table"]["alter"],
    operands: readonly string[],
    given: Given,
    options: { readonly userMetadata?: string; readonly signal: AbortSignal },
  ) => Promise<{ readonly version: number }>;
}

const VERBS: readonly AlterVerb[] = [
  {
    name: "add-columns",
    operands: ["DDL"],
    run: (alter, [ddl], given, options) => alter.addColumns(addedColumns(ddl!, given), options),
  },
  {
    name: "rename-column",
    operands: ["COLUMN", "NAME"],
    run: (alter, [column, name], _, options) => alter.renameColumn(column!, name!, options),
  },
  {
    name: "drop-columns",
    operands: ["COLUMN"],
    repeats: true,
    run: (alter, columns, _, options) => alter.dropColumns(columns, options),
  },
  {
    name: "change-column",
    operands: ["COLUMN"],
    run: (alter, [column], given, options) => alter.changeColumn(column!, columnChange(given), options),
  },
  {
    name: "sync-identity",
    operands: ["COLUMN"],
    run: (alter, [column], _, options) => alter.syncIdentity(column!, options),
  },
  {
    name: "add-constraint",
    operands: ["NAME", "SQL"],
    run: (alter, [name, sql], _, options) => alter.addConstraint(name!, sql!, options),
  },
  {
    name: "drop-constraint",
    operands: ["NAME"],
    run: (alter, [name], given, options) =>
      alter.dropConstraint(name!, { ...options, ifExists: given.has("if-exists") }),
  },
  {
    name: "set-properties",
    operands: ["KEY=VALUE"],
    repeats: true,
    run: (alter, pairs, _, options) => alter.setProperties(Object.fromEntries(pairs.map(pairOf)), options),
  },
  {
    name: "unset-properties",
    operands: ["KEY"],
    repeats: true,
    run: (alter, names, given, options) =>
      alter.unsetProperties(names, { ...options, ifExists: given.has("if-exists") }),
  },
  {
    name: "cluster-by",
    operands: [],
    repeats: true,
    run: (alter, columns, _, options) => alter.clusterBy(columns, options),
  },
  {
    name: "describe",
    operands: [],
    run: (alter, _, given, options) =>
      alter.describe({ name: given.text("name"), description: given.text("description") }, options),
  },
  {
    name: "add-feature",
    operands: ["NAME"],
    run: (alter, [name], _, options) => alter.addFeature(name!, options),
  },
  {
    name: "drop-feature",
    operands: ["NAME"],
    run: (alter, [name], given, options) =>
      alter.dropFeature(name!, { ...options, truncateHistory: given.has("truncate-history") }),
  },
  {
    name: "upgrade-protocol",
    operands: ["READER", "WRITER"],
    run: (alter, [reader, writer], _, options) =>
      alter.upgradeProtocol({ minReaderVersion: Number(reader), minWriterVersion: Number(writer) }, options),
  },
];

export const alter: CommandRow = {
  name: "alter",
  summary: "Change the table's columns, constraints, properties or features",
  operands: "VERB [ARGUMENT…]",
  maxOperands: 10_000,
  options: [
    { name: "in", kind: "text", value: "COLUMN", summary: "add-columns: the struct that gets them" },
    { name: "type", kind: "text", value: "DDL", summary: "change-column: a wider type" },
    { name: "comment", kind: "text", value: "TEXT", summary: "add-columns, change-column: a note; '' takes it away" },
    { name: "nullable", kind: "flag", summary: "change-column: it may be null", excludes: ["not-null"] },
    { name: "not-null", kind: "flag", summary: "change-column: it may not, which rows are checked for" },
    {
      name: "default",
      kind: "text",
      value: "SQL",
      summary: "change-column: for rows that leave it out; '' takes it away",
    },
    { name: "first", kind: "flag", summary: "add-columns, change-column: before the others", excludes: ["after"] },
    { name: "after", kind: "text", value: "COLUMN", summary: "add-columns, change-column: behind this one" },
    { name: "name", kind: "text", value: "TEXT", summary: "describe: what the table is called" },
    { name: "description", kind: "text", value: "TEXT", summary: "describe: what the table is" },
    { name: "if-exists", kind: "flag", summary: "unset-properties, drop-constraint: no error where it isn't there" },
    {
      name: "truncate-history",
      kind: "flag",
      summary: "drop-feature: older versions go, instead of being protected",
    },
    { name: "user-metadata", kind: "text", value: "TEXT", summary: "a note that history shows" },
  ],
  examples: [
    { command: "alter ./events add-columns 'score double, note string' --after id", does: "Two columns more" },
    {
      command: "alter ./events set-properties delta.columnMapping.mode=name",
      does: "Columns can be renamed from now on",
    },
    { command: "alter ./events rename-column address.zip postcode", does: "In a struct" },
    { command: "alter ./events change-column id --type bigint --comment 'of the order'", does: "A wider type" },
    { command: "alter ./events add-constraint positive 'price > 0'", does: "Every row is checked, old ones first" },
    { command: "alter ./events drop-feature checkConstraints", does: "Others need not know it any more" },
    { command: "alter ./events upgrade-protocol 3 7", does: "The protocol lists its features from now on" },
  ],
  commits: true,
  run,
};

async function run({ table, signal, stdout, json }: Session, given: Given): Promise<void> {
  const [name, ...operands] = given.operands;
  const verb = VERBS.find((each) => each.name === name);
  if (verb === undefined) throw unknownVerb(name);
  const { operands: wanted, repeats = false } = verb;
  if (operands.length < wanted.length || (operands.length > wanted.length && !repeats)) {
    const usage = [...wanted, ...(repeats ? ["…"] : [])].join(" ");
    throw new UsageError(`alter ${verb.name} is given wrong arguments`, `Give alter <table> ${verb.name} ${usage}.`);
  }
  const userMetadata = given.text("user-metadata");
  const options = { signal, ...(userMetadata !== undefined && { userMetadata }) };
  const { version } = await verb.run(table.alter, operands, given, options);
  const said = `altered ${escapeControls(table.url)}, version ${version}`;
  await stdout.line(json ? jsonText({ location: table.url, version }) : said);
}

function unknownVerb(name: string | undefined): UsageError {
  const names = VERBS.map((verb) => verb.name);
  const list = `Give one of ${names.join(", ")}.`;
  if (name === undefined) return new UsageError("there is nothing to alter", list);
  const nearest = nearestName(name, names);
  return new UsageError(
    `alter has no verb "${escapeControls(name)}"`,
    nearest === undefined ? list : `Did you mean ${nearest}?`,
  );
}

function addedColumns(ddl: string, given: Given) {
  const parent = given.text("in");
  const comment = given.text("comment");
  const position = positionOf(given);
  const { fields } = schemaOf(ddl, "add-columns");
  // Each goes behind the one before it.
  return fields.map((field, i) => ({
    path: [...(parent === undefined ? [] : columnPath(parent)), field.name],
    type: field.type,
    ...(comment !== undefined && { comment }),
    ...(position !== undefined && { position: i === 0 ? position : { after: fields[i - 1]!.name } }),
  }));
}

function columnChange(given: Given) {
  const [comment, type, position] = [given.text("comment"), given.text("type"), positionOf(given)];
  const value = given.text("default");
  return {
    ...(value !== undefined && { default: value === "" ? null : value }),
    ...(comment !== undefined && { comment: comment === "" ? null : comment }),
    ...(type !== undefined && { type: typeOf(type) }),
    ...(given.has("nullable") && { nullable: true }),
    ...(given.has("not-null") && { nullable: false }),
    ...(position !== undefined && { position }),
  };
}

function positionOf(given: Given): ColumnPosition | undefined {
  if (given.has("first")) return "first";
  const after = given.text("after");
  return after === undefined ? undefined : { after };
}

function typeOf(ddl: string): DataType {
  return schemaOf(`c ${ddl}`, "--type").fields[0]!.type;
}

function schemaOf(ddl: string, source: string): StructType {
  try {
    return parseDdl(ddl);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${source} isn't understood. ${reason}`, "See: delta-table alter --help");
  }
}

function pairOf(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
  throw new UsageError(`"${escapeControls(pair)}" is no property`, "Give KEY=VALUE.");
}
