import type { FileHandle } from "node:fs/promises";
import { type AsyncRecordBatchFileReader, type RecordBatch, RecordBatchReader, type Schema } from "apache-arrow";
import { checkLayout } from "../../../arrow/layout.js";
import { type ArrowBlock, checkArrowFile, type ReadAt } from "../../../arrow/messages.js";

/** A file in Arrow's file format, in which reading can begin at each batch. */
export interface ArrowFile {
  readonly schema: Schema;
  readonly blocks: readonly ArrowBlock[];
  /** The batch of a block. Throws where it is damaged. */
  batch(index: number): Promise<RecordBatch>;
}

/** Opens a file by what its footer says. Throws RangeError and what Arrow throws where it isn't sound. */
export async function openArrowFile(read: ReadAt, sizeBytes: number): Promise<ArrowFile> {
  const blocks = await checkArrowFile(read, sizeBytes);
  const reader = (await RecordBatchReader.from(readable(read, sizeBytes))) as AsyncRecordBatchFileReader;
  await reader.open();
  const batch = async (index: number) => {
    const found = await reader.readRecordBatch(index);
    if (found === null) throw new RangeError("a batch of it is missing");
    if (found.numRows > 0) checkLayout(found);
    return found;
  };
  return { schema: reader.schema, blocks, batch };
}

/** What Arrow's reader needs of an open file. */
function readable(read: ReadAt, size: number): FileHandle {
  const parts = {
    fd: -1,
    stat: async () => ({ size }),
    read: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
      buffer.set(await read(position, position + length), offset);
      return { bytesRead: length, buffer };
    },
    close: async () => undefined,
  };
  return parts as unknown as FileHandle;
}
