import { DeltaError } from "../errors.js";
import { exactJson, parseExactJson } from "../schema/exactJson.js";
import { type Duckdb, duckdb } from "./duckdb.js";
import { mapChildren } from "./tree.js";

/** A node of DuckDB's syntax tree (`json_serialize_sql`). */
export interface SqlNode {
  readonly class: string;
  readonly type: string;
  readonly [member: string]: unknown;
}

/** One SQL expression, parsed. */
export interface SqlExpression {
  readonly root: SqlNode;
  /** The SQL text of a node of this tree, or of one made of its nodes. */
  textOf(node: SqlNode): Promise<string>;
}

/**
 * Parses a text that must be one SQL expression, by DuckDB's own parser. Throws DELTA_INVALID_PREDICATE (with
 * `data.position`, in characters from 0, where the parser knows it) for anything else: several statements, a clause
 * after the expression, parentheses that close what they didn't open.
 */
export async function parseExpression(text: string): Promise<SqlExpression> {
  if (text.trim() === "") throw invalidSql(text, "it is empty");
  if (text.includes("\0")) throw invalidSql(text, "it holds a NUL character", text.indexOf("\0"));
  const db = await duckdb();
  // Bare, a parenthesis too many is an error; in parentheses, a clause or statement after the expression is one.
  await parseStatement(db, text, "");
  const statement = await parseStatement(db, text, "(");
  const root = statement.node.where_clause as SqlNode;
  return { root, textOf: (node) => textOf(db, statement, node) };
}

/** The SQL text of an expression's node that comes from another statement. */
export async function nodeText(node: SqlNode): Promise<string> {
  const db = await duckdb();
  return textOf(db, await parseStatement(db, "true", "("), node);
}

/** DELTA_INVALID_PREDICATE for a SQL text. */
export function invalidSql(text: string, why: string, position?: number, cause?: unknown): DeltaError {
  const place = position === undefined ? "" : ` (at character ${position + 1})`;
  return new DeltaError(
    "DELTA_INVALID_PREDICATE",
    `The condition ${JSON.stringify(text)} is not valid SQL: ${why}${place}.`,
    { where: text, ...(position === undefined ? {} : { position }) },
    cause,
  );
}

/** The first line of one of DuckDB's messages. */
export function duckdbMessage(error: unknown): string {
  return firstLine(error instanceof Error ? error.message : String(error));
}

function firstLine(message: string): string {
  return message.split("\n")[0]!.replace(/[.!]$/, "");
}

interface Statement {
  readonly node: { readonly where_clause: unknown; readonly [member: string]: unknown };
  readonly [member: string]: unknown;
}

const SELECT = "SELECT * FROM t WHERE ";

async function parseStatement(db: Duckdb, text: string, open: "(" | ""): Promise<Statement> {
  const head = `${SELECT}${open}`;
  // A line of its own, so that a comment at the end of the text doesn't swallow the parenthesis.
  const sql = `${head}${text}\n${open ? ")" : ""}`;
  const [[json]] = (await db.columns("SELECT json_serialize_sql($1::VARCHAR)", [sql])) as [[string]];
  const parsed = parseTree(json, text);
  if (parsed.error) {
    const position = Number(parsed.position) - head.length;
    const known = parsed.position !== undefined && position >= 0 && position <= text.length;
    throw invalidSql(text, firstLine(String(parsed.error_message)), known ? position : undefined);
  }
  const statements = parsed.statements as readonly Statement[];
  if (statements.length !== 1) throw invalidSql(text, "it is more than one expression");
  return statements[0]!;
}

function parseTree(json: string, text: string): Record<string, unknown> {
  try {
    return parseExactJson(json) as Record<string, unknown>;
  } catch (cause) {
    // DuckDB writes a number beyond the range of doubles as Infinity, which is no JSON.
    throw invalidSql(text, "it holds a number that no double can hold", undefined, cause);
  }
}

// A double without a fraction reads as an integer in JSON, which DuckDB then refuses; as a text it keeps its type.
function quoteDoubles(node: SqlNode): SqlNode {
  const constant = node.value as { type?: { id?: string }; value?: number | bigint } | undefined;
  if (node.class !== "CONSTANT" || constant?.type?.id !== "DOUBLE") return mapChildren(node, quoteDoubles);
  const value = { type: { id: "VARCHAR", type_info: null }, is_null: false, value: String(constant.value) };
  return {
    ...{ class: "CAST", type: "OPERATOR_CAST", alias: "", query_location: node.query_location },
    ...{ child: { ...node, value }, cast_type: constant.type, try_cast: false },
  };
}

async function textOf(db: Duckdb, statement: Statement, node: SqlNode): Promise<string> {
  const tree = {
    error: false,
    statements: [{ ...statement, node: { ...statement.node, where_clause: quoteDoubles(node) } }],
  };
  const [[sql]] = (await db.columns("SELECT json_deserialize_sql($1::JSON)", [exactJson(tree)])) as [[string]];
  return sql.slice(SELECT.length);
}
