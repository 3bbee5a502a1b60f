import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, ok } from "./command.js";

it("clones, restores and repairs tables", () =>
  inFolder(async (folder) => {
    const [T, copy, shallow] = ["t", "copy", "shallow"].map((name) => join(folder, name)) as [string, string, string];
    await Table.open(T).append([{ id: 1n }]);
    await Table.open(T).append([{ id: 2n }]);
    expect(JSON.parse(await ok(["clone", T, copy, "--json"]))).toMatchObject({
      version: 0,
      sourceVersion: 1,
      fileCount: 2,
    });
    await ok(["clone", T, shallow, "--shallow", "--version", "0"]);
    expect(await ok(["read", shallow, "--data-roots", T])).toBe('{"id":1}\n');
    expect((await failed(1, ["clone", T, copy])).code).toBe("DELTA_PATH_EXISTS");
    await failed(2, ["clone", T]);

    await failed(2, ["restore", copy]);
    expect(await ok(["restore", T, "--version", "0"])).toBe(
      "restored version 0 as version 2: 0 files back, 1 removed\n",
    );
    expect(await ok(["read", T])).toBe('{"id":1}\n');

    const [file] = await Table.open(copy).files();
    const { path } = file!;
    rmSync(join(copy, path));
    expect(await ok(["fsck", copy, "--dry-run"])).toBe(`${path}\nlooked for 2 files: 1 missing\n`);
    expect(JSON.parse(await ok(["fsck", copy, "--json"]))).toMatchObject({ version: 1, fileCount: 2 });
    expect(await ok(["fsck", copy])).toBe("looked for 1 file: none is missing\n");
  }));
