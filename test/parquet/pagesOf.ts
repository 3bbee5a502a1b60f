import { readFooter } from "#src/parquet/footer.js";
import { readPageHeader } from "#src/parquet/pageHeader.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ByteRange } from "#src/storage/store.js";

export interface PagePlace {
  readonly header: ByteRange;
  readonly body: ByteRange;
  /** Whether the header gives a CRC-32 of the body. */
  readonly isChecked: boolean;
}

/** Where a sound Parquet file has its pages. */
export async function pagesOf(bytes: Uint8Array): Promise<readonly PagePlace[]> {
  const store = memoryStore();
  await store.put("file", bytes);
  const { rowGroups } = await readFooter(store, { path: "file", sizeBytes: bytes.length });
  const found: PagePlace[] = [];
  for (const { start, end } of rowGroups.flatMap(({ chunks }) => chunks)) {
    for (let at = start; at < end; ) {
      const { headerBytes, bodyBytes, crc } = readPageHeader(bytes, at);
      const body = { start: at + headerBytes, end: at + headerBytes + bodyBytes };
      found.push({ header: { start: at, end: body.start }, body, isChecked: crc !== undefined });
      at = body.end;
    }
  }
  return found;
}
