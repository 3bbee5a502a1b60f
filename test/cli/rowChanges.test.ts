import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, objects, ok, run } from "./command.js";

async function inTable(use: (T: string, folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const T = join(folder, "t");
    const table = Table.open(T);
    await table.create({ schema: { id: "long not null" as never, name: "string", n: "integer" } as never });
    await table.append([1, 2, 3].map((id) => ({ id, name: `n${id}`, n: id })));
    await use(T, folder);
  });
}

const rowsOf = async (T: string) =>
  objects(await ok(["read", T])).sort((a, b) => Number(a.id) - Number(b.id)) as unknown[];
const row = (id: number, name: string | null, n: number | null) => ({ id, name, n });

describe("delete", () => {
  it("deletes the rows of a condition, or all", async () => {
    await inTable(async (T) => {
      expect(await ok(["delete", T, "--where", "id > 2"])).toContain("deleted 1 row of ");
      expect(await rowsOf(T)).toEqual([row(1, "n1", 1), row(2, "n2", 2)]);
      expect(JSON.parse(await ok(["delete", T, "--all", "--json", "--user-metadata", "why"]))).toMatchObject({
        location: expect.any(String),
        version: 3,
        deletedRowCount: 2,
        skipped: false,
      });
      expect((await Table.open(T).history())[0]).toMatchObject({ operation: "DELETE", userMetadata: "why" });
    });
  });

  it("never deletes all rows for want of a condition", async () => {
    await inTable(async (T) => {
      expect((await run(["delete", T])).code).toBe(2);
      expect((await failed(1, ["delete", T, "--where", "nope = 1"])).code).toBe("DELTA_INVALID_PREDICATE");
      expect(await rowsOf(T)).toHaveLength(3);
    });
  });
});

describe("update", () => {
  it("sets columns to expressions", async () => {
    await inTable(async (T) => {
      const txn = ["--txn-app-id", "job", "--txn-version", "1"];
      const args = ["update", T, "--set", "n=n + 10", "--set", "name='x=y'", "--where", "id >= 2", ...txn];
      expect(await ok(args)).toContain("updated 2 rows of ");
      expect(await ok(args)).toContain("skipped: ");
      expect(await rowsOf(T)).toEqual([row(1, "n1", 1), row(2, "x=y", 12), row(3, "x=y", 13)]);
      expect((await run(["update", T])).code).toBe(2);
    });
  });
});

describe("merge", () => {
  it("updates, deletes and inserts by the rows of files", async () => {
    await inTable(async (T, folder) => {
      const file = join(folder, "rows.csv");
      await writeFile(file, "id,name,n\n1,new,\n4,four,4\n");
      const args = ["merge", T, file, "--on", "id", "--when-matched", "update", "--when-not-matched", "insert"];
      expect(await ok(args)).toContain(": inserted 1, updated 1, deleted 0");
      expect(await rowsOf(T)).toEqual([row(1, "new", null), row(2, "n2", 2), row(3, "n3", 3), row(4, "four", 4)]);
      const lines = '{"id":2,"gone":true}\n{"id":3,"gone":null}\n';
      const result = await ok(
        [
          ...["merge", T, "-", "--on", "target.id = source.id", "--delete-where", "source.gone"],
          ...["--when-matched", "update", "--set", "n=target.n * 100", "--json"],
        ],
        lines,
      );
      expect(JSON.parse(result)).toMatchObject({
        version: 3,
        sourceRowCount: 2,
        updatedRowCount: 1,
        deletedRowCount: 1,
      });
      expect(await rowsOf(T)).toEqual([row(1, "new", null), row(3, "n3", 300), row(4, "four", 4)]);
      await ok(["merge", T, "-", "--on", "id", "--when-not-matched-by-source", "delete"], '{"id":4}\n');
      expect(await rowsOf(T)).toEqual([row(4, "four", 4)]);
    });
  });

  it("takes columns that the table lacks with --merge-schema, and needs all others without", async () => {
    await inTable(async (T) => {
      const args = ["merge", T, "-", "--on", "id", "--when-matched", "update"];
      const error = await failed(1, args, '{"id":1,"n":5}\n');
      expect(error.code).toBe("DELTA_MERGE_UNRESOLVED_EXPRESSION");
      await ok([...args, "--merge-schema"], '{"id":1,"n":5,"extra":"e"}\n');
      expect(await rowsOf(T)).toContainEqual({ ...row(1, "n1", 5), extra: "e" });
    });
  });

  it.each([
    ["no condition", ["--when-matched", "update"]],
    ["values for no update", ["--on", "id", "--set", "n=1"]],
  ])("exits with 2 at %s", async (_, args) => {
    await inTable(async (T) => expect((await run(["merge", T, "-", ...args], '{"id":1}')).code).toBe(2));
  });

  it("says that a merge needs a clause", async () => {
    await inTable(async (T) => {
      expect((await failed(1, ["merge", T, "-", "--on", "id"], '{"id":1}\n')).code).toBe("DELTA_MERGE_MISSING_WHEN");
    });
  });
});
