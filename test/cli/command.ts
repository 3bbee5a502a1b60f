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

export interface Surroundings {
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** Runs `delta-table` with arguments, and text or bytes on its standard input. */
export async function run(
  args: readonly string[],
  input: string | Uint8Array = "",
  { env, node = [] }: Surroundings = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [...node, BIN, ...args], { env: { ...process.env, COLUMNS: "", ...env } });
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
export async function ok(
  args: readonly string[],
  input?: string | Uint8Array,
  surroundings?: Surroundings,
): Promise<string> {
  const { code, stdout, stderr } = await run(args, input, surroundings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Runs a command that must fail with an exit code; the error's facts for programs. */
export async function failed(
  exitCode: number,
  args: readonly string[],
  input?: string | Uint8Array,
  surroundings?: Surroundings,
): Promise<{ code: string; kind: string; message: string; data: Record<string, unknown> }> {
  const { code, stdout, stderr } = await run([...args, "--json"], input, surroundings);
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

/** Options of Node with which no package can be loaded whose address the pattern matches. */
export function withoutPackages(pattern: RegExp): string[] {
  const hooks = `export async function resolve(specifier, context, next) {
    const found = ${pattern}.test(specifier) ? undefined : await next(specifier, context);
    if (found !== undefined && !${pattern}.test(found.url)) return found;
    throw Object.assign(new Error("Cannot find package " + specifier), { code: "ERR_MODULE_NOT_FOUND" });
  }`;
  const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  return ["--import", url(`import { register } from "node:module"; register(${JSON.stringify(url(hooks))});`)];
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
