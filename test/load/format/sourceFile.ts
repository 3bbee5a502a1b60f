import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { SourceFile, SourceFormat } from "#src/load/source/source.js";
import { localStore } from "#src/storage/local.js";

/** A folder that goes when the test ends. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "delta-load-format-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes a file and gives it as a listing would. */
export function sourceFile(path: string, content: string | Uint8Array, format: SourceFormat): SourceFile {
  writeFileSync(path, content);
  const { size, mtimeMs } = statSync(path);
  return {
    url: path,
    store: localStore(dirname(path)),
    path: basename(path),
    format,
    compression: "none",
    identity: { sizeBytes: size, modifiedMs: Math.floor(mtimeMs) },
  };
}
