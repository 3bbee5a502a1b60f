import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { type ErrorCode, type StructType, Table } from "#src/index.js";
import { readParquet } from "#src/parquet/read.js";
import { localStore } from "#src/storage/local.js";
import { expectCode } from "../expectCode.js";

const GOLDEN = fileURLToPath(new URL("../../../shared/golden", import.meta.url));
const skip = existsSync(GOLDEN) ? undefined : " (skipped: the golden tables aren't on this machine)";
const names =
  skip === undefined ? readdirSync(GOLDEN).filter((name) => existsSync(join(GOLDEN, name, "expected"))) : [];

const MUST_BE_REFUSED: Record<string, ErrorCode> = {
  "deltalog-invalid-protocol-version": "DELTA_INVALID_PROTOCOL_VERSION",
  "deltalog-state-reconstruction-from-checkpoint-missing-metadata": "DELTA_STATE_RECOVER_ERROR",
  "deltalog-state-reconstruction-from-checkpoint-missing-protocol": "DELTA_STATE_RECOVER_ERROR",
  "deltalog-state-reconstruction-without-metadata": "DELTA_STATE_RECOVER_ERROR",
  "deltalog-state-reconstruction-without-protocol": "DELTA_STATE_RECOVER_ERROR",
  "no-delta-log-folder": "DELTA_TABLE_NOT_FOUND",
  "versions-not-contiguous": "DELTA_VERSIONS_NOT_CONTIGUOUS",
};

/** A row as text that is the same for the same values of the same types. */
function textOf(row: unknown): string {
  return JSON.stringify(row, (_, value) => {
    if (typeof value === "bigint") return `${value}n`;
    if (value instanceof Map) return { map: [...value] };
    if (value instanceof Uint8Array) return { binary: Buffer.from(value).toString("hex") };
    return Object.is(value, -0) || (typeof value === "number" && !Number.isFinite(value))
      ? { number: String(value) }
      : value;
  });
}

async function expectedRows(folder: string, schema: StructType): Promise<string[]> {
  const store = localStore(folder);
  const read = rowReader(schema);
  const rows: string[] = [];
  for await (const file of store.list("")) {
    if (!file.path.endsWith(".parquet")) continue;
    for await (const batch of readParquet(store, file)) rows.push(...read(conformBatch(batch, schema)).map(textOf));
  }
  return rows.sort();
}

describe.skipIf(skip)(`golden tables${skip ?? ""}`, () => {
  it.each(names)("%s", async (name) => {
    const table = Table.open(join(GOLDEN, name, "delta"));
    const partitionTimeZone = name === "data-reader-partition-values" ? "America/Los_Angeles" : "UTC";
    const rows = await table.toArray({ partitionTimeZone });
    expect(rows.map(textOf).sort()).toEqual(await expectedRows(join(GOLDEN, name, "expected"), await table.schema()));
  });

  it.each(Object.entries(MUST_BE_REFUSED))("%s is refused", async (name, code) => {
    await expectCode(code, () => Table.open(join(GOLDEN, name, "delta")).toArray());
  });

  it("are 71 with rows", () => {
    expect(names).toHaveLength(71);
  });
});
