import { once } from "node:events";
import { createWriteStream } from "node:fs";

const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_PIECE = 20_000;

/** A CSV file of about so many bytes: a header, and rows of 6 columns, of which some texts are quoted. The same bytes at each call. */
export async function makeCsv(path: string, bytes: number): Promise<void> {
  const file = createWriteStream(path);
  let written = 0;
  let id = 0;
  const put = async (text: string) => {
    written += text.length;
    if (!file.write(text)) await once(file, "drain");
  };
  await put("id,at,name,value,flag,category\n");
  while (written < bytes) {
    let piece = "";
    for (const end = id + ROWS_PER_PIECE; id < end; id++) piece += row(id);
    await put(piece);
  }
  file.end();
  await once(file, "finish");
}

function row(id: number): string {
  // Numbers that don't follow each other, as those of real files don't.
  const mixed = Math.imul(id, 2_654_435_761) >>> 0;
  const at = new Date(START_MS + id * 1000).toISOString();
  const name = mixed % 10 === 0 ? `"name ${mixed % 9973}, ""so called"""` : `name ${mixed % 9973}`;
  return `${id},${at},${name},${(mixed % 1_000_000) / 8},${mixed % 3 === 0},${"abc"[mixed % 3]}\n`;
}
