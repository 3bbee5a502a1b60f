import type { Readable } from "node:stream";
import { memoryStore } from "../../storage/memory.js";
import { InputStream } from "./inputStream.js";
import type { SourceFile, SourceFormat } from "./source.js";

export interface StreamSourceOptions {
  /** What the stream is called. */
  readonly name: string;
  readonly format: SourceFormat;
}

/**
 * A stream, such as the standard input, as a file that is read once from its beginning to its end; its first 16 MiB may be
 * read before, to look at them. Opened at a position, it drops what comes before.
 */
export function streamSource(readable: Readable, { name, format }: StreamSourceOptions): SourceFile {
  return {
    url: `stream:${name}`,
    store: memoryStore(),
    path: name,
    stream: new InputStream(readable, name),
    format,
    compression: "none",
    identity: { sizeBytes: 0, modifiedMs: 0 },
  };
}
