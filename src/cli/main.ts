#!/usr/bin/env node
import { DeltaError } from "../errors.js";
import type { CommandRow } from "./command.js";
import { COMMANDS } from "./commands.js";
import { EXIT_FAILED, EXIT_OK, failureOf, interruption, WrongFound } from "./failure.js";
import { Output, OutputClosed } from "./output.js";
import { Progress } from "./progress.js";
import { runCommand } from "./run.js";
import { escapeControls } from "./text.js";

/** Exit codes of signals, as shells give them: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const stdout = new Output(process.stdout);
  const stderr = new Output(process.stderr);
  const progress = new Progress(process.stderr);
  const json = args.includes("--json");
  const interrupted = watchSignals();
  showWarnings(progress, json);
  try {
    await runCommand(args, { stdin: process.stdin, stdout, progress, signal: interrupted.signal });
    progress.clear();
    return EXIT_OK;
  } catch (error) {
    progress.clear();
    if (error instanceof OutputClosed) return EXIT_OK;
    if (error instanceof WrongFound) return EXIT_FAILED;
    const code = interrupted.exitCode();
    const aborted = code !== undefined && isAbort(error);
    const { exitCode, text } = aborted ? interruption(code, json, commitsOf(args[0]), error) : failureOf(error, json);
    await stderr.write(text).catch(() => undefined);
    return exitCode;
  }
}

/** The first signal asks the command to stop and clean up; the second one ends the process at once. */
function watchSignals(): { signal: AbortSignal; exitCode: () => number | undefined } {
  const controller = new AbortController();
  let exitCode: number | undefined;
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (exitCode !== undefined) process.exit(code);
      exitCode = code;
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => exitCode };
}

function commitsOf(command: string | undefined): CommandRow["commits"] {
  return COMMANDS.find(({ name }) => name === command)?.commits;
}

function isAbort(error: unknown): boolean {
  if (error instanceof DeltaError) return error.code === "DELTA_ABORTED";
  return error instanceof Error && error.name === "AbortError";
}

/** This package's warnings as one calm line each; those of Node and of other packages are not the user's business. */
function showWarnings(progress: Progress, json: boolean): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "DeltaWarning" || json) return;
    progress.clear();
    process.stderr.write(`warning: ${escapeControls(warning.message)}\n`);
  });
}
