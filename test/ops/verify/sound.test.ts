import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, test } from "vitest";
import { type StructType, Table } from "#src/index.js";
import { parseCommit, serializeCommit } from "#src/log/commitFile.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import { schemas, values } from "../../arrow/arbitrary.js";
import fc from "../../fastCheck.js";
import { ordinaryTable, verify } from "./build.js";
import { checksum } from "./checkpointDamage.js";
import { compactedTable, compactionPath } from "./compactionDamage.js";
import { withVector } from "./fileDamage.js";

/** Names that Parquet files without column mapping can hold, and no two alike but for case. */
function isAllowed(schema: StructType): boolean {
  const names = schema.fields.map((field) => field.name.toLowerCase());
  return (
    new Set(names).size === names.length &&
    schema.fields.every(({ name, type }) => !/[ ,;{}()\n\t=]/.test(name) && typeAllowed(type))
  );
}

function typeAllowed(type: StructType["fields"][number]["type"]): boolean {
  if (typeof type === "string") return true;
  if (type.type === "struct") return isAllowed(type);
  return type.type === "array" ? typeAllowed(type.elementType) : typeAllowed(type.valueType);
}

const tables = schemas.filter(isAllowed).chain((schema) => {
  const partitionable = schema.fields.filter(({ type }) => typeof type === "string" && type !== "binary");
  return fc.record({
    schema: fc.constant(schema),
    partitionBy: fc
      .subarray(partitionable.map(({ name }) => name))
      .filter((names) => names.length < schema.fields.length),
    appends: fc.array(fc.array(values(schema, false) as fc.Arbitrary<object>, { maxLength: 4 }), { maxLength: 4 }),
    checkpointAt: fc.nat({ max: 3 }),
  });
});

describe("nothing is found in a sound table", () => {
  it("of any schema, rows and partitions", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ schema, partitionBy, appends, checkpointAt }) => {
        const store = memoryStore();
        const table = Table.open(store);
        await table.create({ schema, partitionBy });
        for (const [i, rows] of appends.entries()) {
          await table.append(rows);
          if (i === checkpointAt) await table.checkpoint();
        }
        const { findings, checked, version } = await verify(store);
        expect(findings).toEqual([]);
        expect(checked.commits).toBe(version + 1);
        expect(checked.rows).toBe(appends.flat().length);
      }),
      { numRuns: 60 },
    );
  });

  it("with log compactions, which needn't have tombstones of files that their own commits added", async () => {
    const store = memoryStore();
    await compactedTable(store);
    const late = parseCommit(5, await store.get(compactionPath(4, 5)));
    await store.put(compactionPath(3, 5), serializeCommit(late.filter((action) => !("remove" in action))));
    const { findings, checked } = await verify(store);
    expect(findings).toEqual([]);
    expect(checked.compactions).toBe(3);
    expect((await Table.open(store).at(2).verify()).checked.compactions).toBe(1);
  });

  it("that many handles appended to at once, with checkpoints on the way", async () => {
    const store = memoryStore();
    const writers = Array.from({ length: 8 }, () => Table.open(store));
    await writers[0]!.create({ schema: { id: "long", from: "integer" }, partitionBy: ["from"] });
    await Promise.all(
      writers.map(async (table, from) => {
        for (let id = 0; id < 4; id++) await table.append([{ id, from }]);
      }),
    );
    const { findings, checked, version } = await verify(store);
    expect(findings).toEqual([]);
    expect({ version, checked }).toMatchObject({
      version: 32,
      checked: { commits: 33, checkpoints: 3, files: 32, rows: 32 },
    });
  });

  it("with a deletion vector", async () => {
    const store = memoryStore();
    await withVector(store);
    expect((await verify(store)).findings).toEqual([]);
  });

  it("with a version checksum", async () => {
    const store = memoryStore();
    await ordinaryTable(store);
    const text = JSON.stringify(await checksum(store));
    await store.put("_delta_log/00000000000000000003.crc", new TextEncoder().encode(text));
    const { findings, checked } = await verify(store);
    expect(findings).toEqual([]);
    expect(checked.checksums).toBe(4);
  });

  it("whose old commits were cleaned up", async () => {
    const store = memoryStore();
    await ordinaryTable(store);
    for (const version of [0, 1]) await store.delete(`_delta_log/${String(version).padStart(20, "0")}.json`);
    const { findings, checked } = await verify(store);
    expect(findings).toEqual([]);
    expect(checked).toMatchObject({ commits: 2, checkpoints: 1, files: 5, rows: 6 });
  });

  it("with files and folders that are hidden, and those that only older versions have", async () => {
    const store = memoryStore();
    await Table.open(store).create({ schema: { id: "long", _p: "long" }, partitionBy: ["_p"] });
    await Table.open(store).append([{ id: 1, _p: 1 }]);
    for (const path of ["_SUCCESS", ".part.crc", "_temporary/0/part.parquet", "a/.hidden/b.parquet"]) {
      await store.put(path, new Uint8Array(1));
    }
    expect((await verify(store)).findings).toEqual([]);
    await store.put("_p=2/stray.parquet", new Uint8Array(3));
    expect(await verify(store)).toMatchObject({ ok: true, orphans: { files: 1, bytes: 3 } });
  });
});

const GOLDEN = fileURLToPath(new URL("../../../../shared/golden/", import.meta.url));
const title = existsSync(GOLDEN) ? "golden tables" : "golden tables: skipped, ../shared/golden isn't there";

describe.skipIf(!existsSync(GOLDEN))(title, () => {
  const golden = (name: string) => verify(localStore(`${GOLDEN}${name}/delta`));

  test.each([
    "125-iterator-bug",
    "basic-decimal-table-legacy",
    "basic-with-inserts-deletes-checkpoint",
    "basic-with-inserts-merge",
    "basic-with-inserts-overwrite-restore",
    "basic-with-inserts-updates",
    "basic-with-vacuum-protocol-check-feature",
    "data-reader-array-complex-objects",
    "data-reader-escaped-chars",
    "data-reader-map",
    "data-reader-nested-struct",
    "data-reader-partition-values",
    "data-reader-primitives",
    "data-reader-timestamp_ntz",
    "decimal-various-scale-precision",
    "kernel-timestamp-int96",
    "log-replay-dv-key-cases",
    "multi-part-checkpoint",
    "parquet-all-types",
    "parquet-all-types-legacy-format",
    "parquet-decimal-type",
    "snapshot-data2-deleted",
    "snapshot-repartitioned",
    "snapshot-vacuumed",
    "table-with-columnmapping-mode-id",
    "table-with-columnmapping-mode-name",
    "time-travel-partition-changes-b",
    "time-travel-schema-changes-b",
    "v2-checkpoint-json",
    "v2-checkpoint-parquet",
  ])("%s: nothing is found", async (name) => {
    const { findings, checked } = await golden(name);
    expect(findings).toEqual([]);
    expect(checked.rows).toBeGreaterThan(0);
  });

  test.each([
    ["corrupted-last-checkpoint-kernel", { "last-checkpoint-malformed": 1 }],
    ["dv-partitioned-with-checkpoint", { "orphan-file": 5 }],
    ["data-skipping-basic-stats-all-types-checkpoint", { "orphan-file": 1 }],
    ["only-checkpoint-files", { "orphan-file": 1 }],
  ])("%s: no errors, but %o", async (name, counts) => {
    const report = await golden(name);
    expect(report).toMatchObject({ ok: true, counts });
    expect(Object.keys(report.counts)).toEqual(expect.arrayContaining(Object.keys(counts)));
    expect(report.checked.files).toBeGreaterThan(0);
  });

  test.each([
    ["checkpoint", { "file-missing": 1 }],
    ["deltalog-invalid-protocol-version", { "file-missing": 1, "protocol-invalid": 1 }],
    ["deltalog-state-reconstruction-without-metadata", { "version-not-rebuildable": 1 }],
    ["deltalog-state-reconstruction-without-protocol", { "version-not-rebuildable": 1 }],
    ["deltalog-state-reconstruction-from-checkpoint-missing-metadata", { "checkpoint-unreadable": 1 }],
    ["deltalog-state-reconstruction-from-checkpoint-missing-protocol", { "checkpoint-unreadable": 1 }],
    ["versions-not-contiguous", { "commit-missing": 1, "version-not-rebuildable": 1 }],
  ])("%s: errors %o", async (name, counts) => {
    expect(await golden(name)).toMatchObject({ ok: false, counts });
  });
});
