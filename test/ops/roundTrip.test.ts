import { describe, expect, it } from "vitest";
import { type StructType, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { schemas, values } from "../arrow/arbitrary.js";
import fc from "../fastCheck.js";

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

const tables = schemas.filter(isAllowed).chain((schema) =>
  fc.record({
    schema: fc.constant(schema),
    appends: fc.array(fc.array(values(schema, false) as fc.Arbitrary<object>, { maxLength: 4 }), {
      minLength: 1,
      maxLength: 4,
    }),
    checkpointAt: fc.nat({ max: 3 }),
  }),
);

describe("any schema and rows", () => {
  it("come back as they were written, from commits and from checkpoints, at each version", async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ schema, appends, checkpointAt }) => {
        const store = memoryStore();
        const table = Table.open(store);
        await table.create({ schema });
        const versions: number[] = [];
        for (const [i, rows] of appends.entries()) {
          versions.push((await table.append(rows)).version);
          if (i === checkpointAt) await table.checkpoint();
        }
        const reader = Table.open(store);
        expect(await reader.schema()).toEqual(schema);
        for (const [i, version] of versions.entries()) {
          const expected = appends.slice(0, i + 1).flat();
          expect(await reader.at(version).toArray()).toEqual(expected);
          expect(await reader.at(version).count()).toBe(expected.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});
