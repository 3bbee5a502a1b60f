import { mkdtemp, readdir, readFile, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";
import { system, tmpfs } from "../storage/tmpfs.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-errors-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const wide = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: BigInt(from + i),
    text: `${Math.sin(from + i)} ${Math.cos(from + i)}`,
  }));

describe("a damaged table", () => {
  it("names the data file that can't be read, or that is gone", async () => {
    const table = Table.open(folder);
    await table.append(wide(0, 1000));
    const [{ path, size }] = await table.files();
    const file = join(folder, path);
    const bytes = await readFile(file);

    await truncate(file, size - 100);
    expect((await expectCode("DELTA_PARQUET_UNREADABLE", () => table.toArray())).data).toMatchObject({ path });
    await writeFile(file, bytes.fill(7, 100, 3000));
    expect((await expectCode("DELTA_PARQUET_UNREADABLE", () => table.toArray())).data).toMatchObject({ path });
    await rm(file);
    const error = await expectCode("DELTA_FILE_NOT_FOUND", () => table.toArray());
    expect(error.data.path).toContain(path);
    expect(await table.count()).toBe(1000);
  });

  it("names the commit and the line that can't be read", async () => {
    await Table.open(folder).append(wide(0, 1));
    await writeFile(join(folder, "_delta_log/00000000000000000001.json"), '{"commitInfo":{}}\n{"add":{"path":\n');
    const error = await expectCode("DELTA_LOG_CORRUPT", () => Table.open(folder).toArray());
    expect(error.data).toMatchObject({ version: 1, line: 2 });
  });

  it("refuses a path that isn't a table, and a folder of other things", async () => {
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(join(folder, "nowhere")).version());
    await writeFile(join(folder, "notes.txt"), "x");
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(folder).detail());
  });
});

describe("a full disk", () => {
  it("loses nothing and shows nothing, and the next append just works", async ({ skip }) => {
    const reason = tmpfs(folder);
    if (reason) {
      console.warn(`skipped, a full disk: ${reason}`);
      skip(reason);
    }
    try {
      const table = Table.open(folder);
      await table.append(wide(0, 1000));
      const before = await readdir(folder, { recursive: true });
      const error = await expectCode("DELTA_DISK_FULL", () => table.append(wide(1000, 60_000)));
      expect(error.kind).toBe("fix-environment");
      expect((await readdir(folder, { recursive: true })).sort()).toEqual(before.sort());
      expect(await Table.open(folder).count()).toBe(1000);
      expect((await table.append(wide(1000, 10))).version).toBe(1);
      expect(await Table.open(folder).count()).toBe(1010);
    } finally {
      system("umount", folder);
    }
  });

  it("at the claim itself leaves no data file behind", async ({ skip }) => {
    const reason = tmpfs(folder);
    if (reason) {
      console.warn(`skipped, a full disk: ${reason}`);
      skip(reason);
    }
    try {
      const table = Table.open(folder);
      await table.append([{ id: 1n }]);
      const { size } = (await table.files())[0];
      // Room for the data file, and not for the commit.
      const { bavail, bsize } = await statfs(folder);
      const filler = join(folder, "filler");
      await writeFile(filler, Buffer.alloc((bavail - Math.ceil(size / bsize)) * bsize));
      const before = (await readdir(folder)).sort();
      await expectCode("DELTA_DISK_FULL", () => table.append([{ id: 2n }]));
      expect((await readdir(folder)).sort()).toEqual(before);
      await rm(filler);
      expect((await table.append([{ id: 2n }])).version).toBe(1);
      expect(await table.count()).toBe(2);
    } finally {
      system("umount", folder);
    }
  });
});

describe("a folder that can't be written", () => {
  it("is access denied, and can still be read", async ({ skip }) => {
    const reason = tmpfs(folder);
    if (reason) {
      console.warn(`skipped, a read-only folder: ${reason}`);
      skip(reason);
    }
    try {
      const table = Table.open(folder);
      await table.append([{ id: 1n }]);
      system("mount", "-o", "remount,ro", folder);
      await expectCode("DELTA_ACCESS_DENIED", () => table.append([{ id: 2n }]));
      expect(await Table.open(folder).count()).toBe(1);
    } finally {
      system("umount", folder);
    }
  });
});
