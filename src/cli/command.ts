import type { Readable } from "node:stream";
import type { Table } from "../table.js";
import type { Output } from "./output.js";
import type { Progress } from "./progress.js";

/**
 * What an option takes.
 *
 * - `flag`: nothing.
 * - `text`: any text; one of `choices` where there are some.
 * - `count`: a whole number from 0 up.
 * - `names`: names separated by commas.
 * - `pairs`: `key=value`, the option as often as wanted.
 */
export type OptionKind = "flag" | "text" | "count" | "names" | "pairs";

/** A row of a command's options. */
export interface OptionRow {
  /** Without the dashes. */
  readonly name: string;
  readonly kind: OptionKind;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  /** Options that can't be given together with this one. */
  readonly excludes?: readonly string[];
}

/** A row of the table of commands. */
export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  /** What stands behind the table in the help: "[FILE…]". */
  readonly operands?: string;
  /** More operands than the table that may be given. */
  readonly maxOperands: number;
  readonly options: readonly OptionRow[];
  readonly examples: readonly Example[];
  /** Where the table is the last operand, what stands before it in the help: "SOURCE…". One such operand must be given. */
  readonly before?: string;
  /** Whether the command may commit a version; one that commits `inParts` says itself where it was interrupted. */
  readonly commits?: true | "inParts";
  run(session: Session, given: Given): Promise<void>;
}

export interface Example {
  /** Behind "delta-table ", or a whole line of a shell where it holds a pipe. */
  readonly command: string;
  readonly does: string;
}

/** What the command line gave a command, checked. */
export interface Given {
  /** The table's location, as given. */
  readonly location: string;
  /** The operands behind it, or before it where it is the last one. */
  readonly operands: readonly string[];
  has(option: string): boolean;
  text(option: string): string | undefined;
  count(option: string): number | undefined;
  names(option: string): readonly string[] | undefined;
  pairs(option: string): Readonly<Record<string, string>> | undefined;
}

/** What a command works with. */
export interface Session {
  /** The table of the command line, which need not exist. */
  readonly table: Table;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly progress: Progress;
  /** Output for programs. */
  readonly json: boolean;
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
}
