import { DeltaError, type ErrorKind } from "../errors.js";
import type { CommandRow } from "./command.js";
import { escapeControls, escapeLines, jsonText } from "./text.js";
import { UsageError } from "./usage.js";

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const ADVICE: Readonly<Record<ErrorKind, string>> = {
  retry: "the same command may succeed later",
  rebase: "another writer was first; look at the table and run the command again",
  "fix-input": "change the command and run it again",
  "fix-data": "put the file or its rows right, then run the command again",
  "fix-environment": "put the environment right and run the command again",
  upgrade: "a newer release of delta-table may do it",
  bug: "this is a defect of delta-table; please report it with the command that led here",
};

/** The command did its work and told what is wrong: exit code 1, and nothing more to say. */
export class WrongFound extends Error {
  override readonly name = "WrongFound";
}

/** How a failed command ends. */
export interface Failure {
  readonly exitCode: number;
  /** What goes to stderr, line break included. */
  readonly text: string;
}

/** What a failure says to people or, where `json`, to programs: `{"error":{code,kind,message,data}}`. */
export function failureOf(error: unknown, json: boolean): Failure {
  if (error instanceof UsageError) {
    const facts = { code: error.code, kind: "fix-input", message: error.message, data: { hint: error.hint } };
    const text = json
      ? toJson(facts)
      : `error: ${escapeControls(error.message)}\n       ${escapeControls(error.hint)}\n`;
    return { exitCode: EXIT_USAGE, text };
  }
  if (error instanceof DeltaError) {
    const { code, kind, message, data } = error;
    const text = json
      ? toJson({ code, kind, message, data })
      : `error: ${escapeControls(message)}\n       ${code}: ${ADVICE[kind]}\n`;
    return { exitCode: EXIT_FAILED, text };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (json) return { exitCode: EXIT_FAILED, text: toJson({ code: "DELTA_INTERNAL", kind: "bug", message, data: {} }) };
  const trace = error instanceof Error ? `${error.stack ?? message}\n` : "";
  const text = `error: ${escapeControls(message)}\n       DELTA_INTERNAL: ${ADVICE.bug}\n${escapeLines(trace)}`;
  return { exitCode: EXIT_FAILED, text };
}

/** How an interrupted command ends. One that commits in parts has its `error` say how far it came. */
export function interruption(exitCode: number, json: boolean, commits: CommandRow["commits"], error: unknown): Failure {
  if (commits === "inParts" && error instanceof DeltaError) {
    const { code, kind, message, data } = error;
    return {
      exitCode,
      text: json ? toJson({ code, kind, message, data }) : `interrupted: ${escapeControls(message)}\n`,
    };
  }
  const message = commits ? "interrupted; nothing was committed" : "interrupted";
  const text = json ? toJson({ code: "DELTA_ABORTED", kind: "fix-input", message, data: {} }) : `${message}\n`;
  return { exitCode, text };
}

function toJson(error: object): string {
  try {
    return `${jsonText({ error }, plainValue)}\n`;
  } catch {
    // Facts that nest too deep, or in circles.
    return `${jsonText({ error: { ...error, data: {} } }, plainValue)}\n`;
  }
}

/** For `JSON.stringify`: facts that JSON has no form for. */
export function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Map) return [...value];
  if (value instanceof Error) return value.message;
  return value;
}
