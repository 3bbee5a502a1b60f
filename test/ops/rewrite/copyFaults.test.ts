import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { localStore } from "#src/storage/local.js";
import type { ObjectStore } from "#src/storage/store.js";

type Copy = NonNullable<ObjectStore["putNewBy"]>;

const ROWS = 30_000;
const FILES = 2;

let folder: string;
/** Each time that DuckDB was to write a file. */
let begun: string[];
let dataFiles: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-copy-faults-"));
  begun = [];
  const table = Table.open(localStore(folder, { fsync: false }));
  await table.create({ schema: { id: "long", text: "string" } });
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed.toString(36);
  };
  // So many bytes that DuckDB is worth its start.
  for (let file = 0; file < FILES; file++) {
    await table.append(
      Array.from({ length: ROWS }, (_, i) => ({
        id: BigInt(file * ROWS + i),
        text: Array.from({ length: 40 }, noise).join(""),
      })) as never,
    );
  }
  dataFiles = await parquetFiles();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function parquetFiles(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".parquet")).sort();
}

/** The table in a store in which `copied` has DuckDB's files written. */
function tableWhere(copied: (inner: Copy) => Copy): Table {
  const local = localStore(folder, { fsync: false });
  const copy = copied((...args) => local.putNewBy!(...args));
  const store = new Proxy(local, {
    get: (target, name) => {
      if (name === "putNewBy") {
        return (...args: Parameters<Copy>) => {
          begun.push(args[0]);
          return copy(...args);
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return Table.open(store);
}

const CHANGES: Readonly<Record<string, (table: Table, signal?: AbortSignal) => Promise<unknown>>> = {
  delete: (table, signal) => table.delete("id % 100 = 7", { signal }),
  update: (table, signal) => table.update({ set: { text: "new" }, where: "id % 100 = 7", signal } as never),
  merge: (table, signal) =>
    table.merge([{ id: 5n, text: "merged" }, { id: BigInt(ROWS + 5) }] as never, {
      on: ["id"],
      whenMatched: [{ delete: true }],
      signal,
    }),
  optimize: (table, signal) => table.optimize({ signal }),
};

const FIRST_CHANGE = FILES + 1;

describe.each(Object.entries(CHANGES))("DuckDB's copies in %s", (name, change) => {
  test("an abort in mid-copy leaves nothing", async () => {
    const controller = new AbortController();
    const table = tableWhere((inner) => (path, write, signal) => {
      const beginning = (localPath: string) => {
        const written = write(localPath);
        setImmediate(() => controller.abort());
        return written;
      };
      return inner(path, beginning, signal);
    });
    await expect(change(table, controller.signal)).rejects.toMatchObject({ code: "DELTA_ABORTED" });
    expect(begun.length).toBeGreaterThan(0);
    expect(await parquetFiles()).toEqual(dataFiles);
    expect(await table.version()).toBe(FIRST_CHANGE - 1);
    expect(await table.count()).toBe(FILES * ROWS);
    // The same can be made afterwards.
    expect(await change(Table.open(folder))).toMatchObject({ version: FIRST_CHANGE });
  });

  test("an error of DuckDB's has the rows copied here", async () => {
    const table = tableWhere((inner) => (path, write, signal) => inner(path, () => write("/nowhere/at all"), signal));
    expect(await change(table)).toMatchObject({ version: FIRST_CHANGE });
    expect(begun.length).toBeGreaterThan(0);
    const added = (await Table.open(folder).files()).map(({ path }) => path);
    expect(await parquetFiles()).toEqual([...new Set([...dataFiles, ...added])].sort());
    const ids = (await table.toArray({ columns: ["id"] })).map(({ id }) => Number(id)).sort((a, b) => a - b);
    const gone = (id: number) =>
      (name === "delete" && id % 100 === 7) || (name === "merge" && (id === 5 || id === ROWS + 5));
    expect(ids).toEqual(Array.from({ length: FILES * ROWS }, (_, id) => id).filter((id) => !gone(id)));
    expect((await table.verify({ mode: "full" } as never)).findings).toEqual([]);
  });

  test("a source file that is removed meanwhile leaves nothing", async () => {
    const table = tableWhere((inner) => async (...args) => {
      await rm(join(folder, dataFiles[1]!), { force: true });
      return inner(...args);
    });
    await expect(change(table)).rejects.toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
    expect(begun.length).toBeGreaterThan(0);
    expect(await parquetFiles()).toEqual([dataFiles[0]]);
    expect(await table.version()).toBe(FIRST_CHANGE - 1);
  });
});
