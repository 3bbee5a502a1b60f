import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/table.js";

const folder = fileURLToPath(new URL("../golden/tables/", import.meta.url));
const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

// Deletion vectors, column mapping, widened types, INT96, variants, partition values of all kinds.
it.each(names)("a query sees the rows of %s as a scan gives them", async (name) => {
  const table = Table.open(`${folder}${name}/delta`);
  let rows: readonly object[];
  try {
    rows = await table.toArray();
  } catch (error) {
    // Tables that mustn't be read, or were made without data files.
    expect(error).toBeInstanceOf(DeltaError);
    return;
  }
  const queried = await table.sql("select * from this").toArray();
  expect(queried.map(text).sort()).toEqual(rows.map(text).sort());
  expect(await table.sql("select count(*) as n from this").toArray()).toEqual([{ n: BigInt(rows.length) }]);
});

function text(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (typeof part === "bigint") return `${part}n`;
    if (part instanceof Map) return [...part].map(text).sort();
    if (part instanceof Uint8Array) return Buffer.from(part).toString("hex");
    return typeof part === "number" && !Number.isFinite(part) ? String(part) : part;
  });
}
