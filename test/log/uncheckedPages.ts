import { readFooter } from "#src/parquet/footer.js";
import { readPageHeader } from "#src/parquet/pageHeader.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ByteRange } from "#src/storage/store.js";

/** Where a sound Parquet file has bodies of pages without CRC-32, whose headers come before them and don't belong to them. */
export async function uncheckedPages(bytes: Uint8Array): Promise<readonly ByteRange[]> {
  const store = memoryStore();
  await store.put("file", bytes);
  const { rowGroups } = await readFooter(store, { path: "file", sizeBytes: bytes.length });
  const found: ByteRange[] = [];
  for (const { start, end } of rowGroups.flatMap(({ chunks }) => chunks)) {
    for (let at = start; at < end; ) {
      const { headerBytes, bodyBytes, crc } = readPageHeader(bytes, at);
      const body = at + headerBytes;
      at = body + bodyBytes;
      if (crc === undefined) found.push({ start: body, end: at });
    }
  }
  return found;
}
