import type { DataType } from "../../schema/types.js";

type Shift = "shiftleft" | "shiftright" | "shiftrightunsigned";

export type BinaryOperator =
  | ("or" | "and" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "<=>")
  | ("|" | "^" | "&" | "+" | "-" | "||" | "*" | "/" | "%" | "div" | Shift);

/** A literal's value: numbers as their digits, dates and timestamps as their text. */
export interface LiteralNode {
  readonly kind: "literal";
  readonly type: DataType;
  /** Undefined for null. */
  readonly text: string | undefined;
}

/** A fixed time: months, or microseconds with whether all of it are whole days by how it is written. */
export interface IntervalNode {
  readonly kind: "interval";
  readonly months?: bigint;
  readonly micros?: bigint;
  readonly isDays?: boolean;
}

/** An expression of Spark SQL as it is written. */
export type SparkNode =
  | LiteralNode
  | IntervalNode
  | { readonly kind: "column"; readonly names: readonly string[] }
  | { readonly kind: "field"; readonly of: SparkNode; readonly name: string }
  | { readonly kind: "item"; readonly of: SparkNode; readonly index: SparkNode }
  | { readonly kind: "not" | "minus" | "complement"; readonly of: SparkNode }
  | { readonly kind: "binary"; readonly op: BinaryOperator; readonly left: SparkNode; readonly right: SparkNode }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly SparkNode[] }
  | { readonly kind: "lambda"; readonly names: readonly string[]; readonly body: SparkNode }
  | { readonly kind: "cast"; readonly of: SparkNode; readonly type: DataType; readonly isTry: boolean }
  | {
      readonly kind: "case";
      readonly of: SparkNode | undefined;
      readonly branches: readonly { readonly when: SparkNode; readonly gives: SparkNode }[];
      readonly otherwise: SparkNode | undefined;
    }
  | { readonly kind: "in"; readonly of: SparkNode; readonly list: readonly SparkNode[] }
  | {
      readonly kind: "like" | "ilike" | "rlike";
      readonly of: SparkNode;
      readonly pattern: SparkNode;
      readonly escaping?: string;
    }
  | { readonly kind: "is"; readonly of: SparkNode; readonly what: "null" | "true" | "false" };
