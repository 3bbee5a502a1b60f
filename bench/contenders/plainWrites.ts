// The floor: what the disk itself takes for a commit of these bytes. Arguments: the folder, how many commits, `fsync` or
// `no-fsync`. Each commit writes a data file and links a log entry to its name, with the parent folders synced too.
import { link, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { sample } from "../process.js";

const DATA_BYTES = 2_400;
const LOG_BYTES = 900;

const [path = "", count = "", sync] = process.argv.slice(2);
const log = join(path, "_delta_log");
await mkdir(log, { recursive: true });
const data = Buffer.alloc(DATA_BYTES, 1);
const entry = Buffer.alloc(LOG_BYTES, 2);

async function write(file: string, bytes: Buffer): Promise<void> {
  await using handle = await open(file, "wx");
  await handle.writeFile(bytes);
  if (sync === "fsync") await handle.sync();
}

async function syncFolder(folder: string): Promise<void> {
  if (sync !== "fsync") return;
  await using handle = await open(folder);
  await handle.sync();
}

await sample(
  async () => {
    for (let n = 0; n < Number(count); n++) {
      await write(join(path, `part-${n}.parquet`), data);
      await syncFolder(path);
      const temporary = join(log, `${n}.tmp`);
      await write(temporary, entry);
      await link(temporary, join(log, `${String(n).padStart(20, "0")}.json`));
      await unlink(temporary);
      await syncFolder(log);
    }
  },
  () => null,
);
