import type { Readable } from "node:stream";
import { nearestName } from "../schema/columns.js";
import { VERSION } from "../version.js";
import { parseArguments } from "./arguments.js";
import type { CommandRow } from "./command.js";
import { COMMANDS } from "./commands.js";
import { commandHelp, programHelp } from "./help.js";
import { openOptionsOf } from "./openOptions.js";
import type { Output } from "./output.js";
import type { Progress } from "./progress.js";
import { escapeControls } from "./text.js";
import { UsageError } from "./usage.js";

/** The standard streams, and the signal that Ctrl-C fires. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Runs one command line. Throws {@link UsageError}, a DeltaError, or OutputClosed. */
export async function runCommand(args: readonly string[], streams: Streams): Promise<void> {
  const [name, ...rest] = args;
  if (name === "--version") return streams.stdout.line(VERSION);
  if (name === "--help" || name === "-h") return streams.stdout.write(programHelp(COMMANDS));
  if (name === "help")
    return streams.stdout.write(rest[0] === undefined ? programHelp(COMMANDS) : commandHelp(find(rest[0])));
  const command = find(name);
  const given = parseArguments(command, rest);
  if (given.has("help")) return streams.stdout.write(commandHelp(command));
  // Help and wrong use are told without loading Arrow.
  const { Table } = await import("../table.js");
  await using table = Table.open(given.location, openOptionsOf(given));
  await command.run({ ...streams, table, json: given.has("json") }, given);
}

function find(name: string | undefined): CommandRow {
  if (name === undefined)
    throw new UsageError("the command is missing", `Give one of ${names().join(", ")}. See: delta-table --help`);
  const command = COMMANDS.find((row) => row.name === name);
  if (command !== undefined) return command;
  const nearest = nearestName(name, [...names(), "--help", "--version"]);
  const hint = nearest === undefined ? `The commands are ${names().join(", ")}.` : `Did you mean ${nearest}?`;
  throw new UsageError(`there is no command "${escapeControls(name)}"`, `${hint} See: delta-table --help`);
}

function names(): string[] {
  return COMMANDS.map((row) => row.name);
}
