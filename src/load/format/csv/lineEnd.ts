/** A record without the line end behind it. */
export function withoutLineEnd(record: Uint8Array): Uint8Array {
  let end = record.length;
  if (record[end - 1] === 0x0a) end--;
  if (record[end - 1] === 0x0d) end--;
  return record.subarray(0, end);
}
