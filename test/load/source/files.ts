import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { type OpenBytesOptions, openBytes } from "#src/load/source/bytes.js";
import { type ListSourcesOptions, listSources } from "#src/load/source/list.js";
import type { BytePosition, ByteReader, SourceFile } from "#src/load/source/source.js";

/** A folder for a test file's files, removed at its end. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "delta-source-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder: path to content. */
export async function writeFiles(folder: string, files: { readonly [at: string]: string | Uint8Array }): Promise<void> {
  for (const [at, content] of Object.entries(files)) {
    const full = path.join(folder, at);
    await mkdir(path.dirname(full), { recursive: true });
    await writeFile(full, content);
  }
}

export async function listAll(
  operands: readonly (string | URL)[],
  options: ListSourcesOptions = {},
): Promise<SourceFile[]> {
  await using listing = listSources(operands, options);
  const files: SourceFile[] = [];
  for await (const file of listing) files.push(file);
  return files;
}

/** The one file that an operand stands for. */
export async function oneFile(operand: string, options?: ListSourcesOptions): Promise<SourceFile> {
  const [file] = await listAll([operand], options);
  return file!;
}

export async function bytesOf(reader: ByteReader): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let part = await reader.read(); part !== undefined; part = await reader.read()) parts.push(part);
  return Buffer.concat(parts);
}

/** A file's bytes from a position on. */
export async function readFrom(file: SourceFile, from?: BytePosition, options?: OpenBytesOptions): Promise<Buffer> {
  await using reader = await openBytes(file, from, options);
  return await bytesOf(reader);
}

/** What comes before an error, and the error. */
export async function readUntilError(file: SourceFile, from?: BytePosition, options?: OpenBytesOptions) {
  await using reader = await openBytes(file, from, options);
  const parts: Uint8Array[] = [];
  try {
    for (let part = await reader.read(); part !== undefined; part = await reader.read()) parts.push(part);
  } catch (error) {
    return { before: Buffer.concat(parts), error };
  }
  return { before: Buffer.concat(parts), error: undefined };
}
