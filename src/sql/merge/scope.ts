import type { DeltaError } from "../../errors.js";
import type { StructType } from "../../schema/types.js";
import { type BoundColumn, bindColumns, boundColumns, type ColumnResolver, columnNamed } from "../bind.js";
import { type Duckdb, duckdb } from "../duckdb.js";
import { inSql } from "../evaluate.js";
import { invalidSql, parseExpression, type SqlExpression, type SqlNode } from "../expression.js";
import { nullRow, valueSqlType } from "../types.js";

/** The two sides of a merge, as conditions call them. */
export type Side = "target" | "source";

const SIDES: readonly Side[] = ["target", "source"];

/** An expression over columns of a merge's sides. */
export interface MergeExpression {
  readonly sql: string;
  readonly expression: SqlExpression;
  readonly root: SqlNode;
  /** Top-level columns that it names. */
  readonly columns: ReadonlyMap<Side, ReadonlySet<string>>;
}

/** What an expression of a merge may name: columns of one side or both, as `target.a`, `source.a`, or just `a` where only one has it. */
export class MergeScope {
  readonly #schemas: ReadonlyMap<Side, StructType>;

  constructor(schemas: ReadonlyMap<Side, StructType>) {
    this.#schemas = schemas;
  }

  /** A scope of some of the sides. */
  only(...sides: readonly Side[]): MergeScope {
    return new MergeScope(new Map([...this.#schemas].filter(([side]) => sides.includes(side))));
  }

  /** A FROM clause that gives a row of nulls, to try expressions on. */
  get nullRows(): string {
    return [...this.#schemas].map(([side, schema]) => `(${nullRow(schema, valueSqlType)}) AS ${side}`).join(", ");
  }

  /** Throws `DELTA_INVALID_PREDICATE`. */
  async parse(text: string): Promise<MergeExpression> {
    const expression = await parseExpression(text);
    const root = bindColumns(expression.root, this.#schema, text, this.#resolver(text));
    const columns = new Map<Side, Set<string>>(SIDES.map((side) => [side, new Set()]));
    for (const [side, name] of boundColumns(root)) columns.get(side as Side)!.add(name!);
    return { sql: await expression.textOf(root), expression, root, columns };
  }

  /** A condition; throws `DELTA_INVALID_PREDICATE` also where it is none. */
  async condition(text: string): Promise<MergeExpression> {
    const parsed = await this.parse(text);
    const db: Duckdb = await duckdb();
    await inSql(text, () => db.columns(`SELECT 1 FROM ${this.nullRows} WHERE (${parsed.sql})`));
    return parsed;
  }

  /** For what errors tell of columns. */
  get #schema(): StructType {
    const fields = [...this.#schemas].map(([name, type]) => ({ name, type, nullable: false, metadata: {} }));
    return { type: "struct", fields };
  }

  #resolver(text: string): ColumnResolver {
    const inSide = (side: Side, names: readonly string[]): BoundColumn | undefined => {
      const schema = this.#schemas.get(side);
      const found = schema && columnNamed(schema, names);
      return found && { path: [side, ...found.path], type: found.type };
    };
    return (names) => {
      const [first, ...rest] = names;
      const named = SIDES.find((side) => side === first!.toLowerCase());
      const qualified = named !== undefined && rest.length > 0 ? inSide(named, rest) : undefined;
      if (qualified !== undefined) return qualified;
      const found = SIDES.flatMap((side) => inSide(side, names) ?? []);
      if (found.length > 1) throw ambiguous(names.join("."), text);
      return found[0];
    };
  }
}

function ambiguous(column: string, text: string): DeltaError {
  return invalidSql(text, `both sides have "${column}": say target.${column} or source.${column}`);
}
