import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

export const BIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as bytes. */
  readonly bytes: Buffer;
}

/** Runs `delta-table` with arguments, and text or bytes on its standard input. */
export async function run(args: readonly string[], input: string | Uint8Array = "", cwd?: string): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...process.env, COLUMNS: "" } });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // A command that ends without reading its input closes it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const bytes = Buffer.concat(out);
  return { code, stdout: bytes.toString(), stderr: Buffer.concat(err).toString(), bytes };
}

/** Runs a command that must succeed, quietly; its output. */
export async function ok(args: readonly string[], input?: string | Uint8Array, cwd?: string): Promise<string> {
  const { code, stdout, stderr } = await run(args, input, cwd);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Runs a command that must fail with an exit code; the error's facts for programs. */
export async function failed(
  exitCode: number,
  args: readonly string[],
  input?: string | Uint8Array,
  cwd?: string,
): Promise<{ code: string; kind: string; message: string; data: Record<string, unknown> }> {
  const { code, stdout, stderr } = await run([...args, "--json"], input, cwd);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
  return JSON.parse(stderr).error;
}

/** The objects of JSON lines. */
export function objects(lines: string): Record<string, unknown>[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** A folder that is gone after `use`. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "delta-table-cli-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
