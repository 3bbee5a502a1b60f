import { describe, expect, it } from "vitest";
import { streamOf, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";

const field = (name: string, type: "long" | "integer", metadata: Record<string, unknown> = {}) => ({
  ...{ name, type, nullable: true, metadata },
});
const schema = {
  type: "struct" as const,
  fields: [
    field("id", "long", {
      "delta.identity.start": 1,
      "delta.identity.step": 1,
      "delta.identity.allowExplicitInsert": false,
    }),
    field("x", "integer"),
    field("y", "integer", { "delta.generationExpression": "x * 2" }),
    field("z", "integer", { CURRENT_DEFAULT: "7" }),
  ],
};
const properties = { "delta.constraints.small": "x < 100" };
const offsetOf = ({ x }: { x: number }) => x;
const counter = (end: number) =>
  async function* (after: unknown) {
    for (let x = after === undefined ? 0 : Number(after) + 1; x < end; x++) yield { x };
  };

describe("a stream into a table with rules", () => {
  it("fills what its rows leave out, and goes on with identity values from batch to batch", async () => {
    const table = Table.open(memoryStore());
    await table.create({ schema, properties });
    const options = { checkpoint: memoryStore() };
    const { batchCount } = await streamOf(counter(5), { offsetOf, maxRowsPerTrigger: 2 }).toTable(table, options);
    expect(batchCount).toBe(3);
    expect(await table.toArray()).toEqual([0, 1, 2, 3, 4].map((x) => ({ id: BigInt(x + 1), x, y: 2 * x, z: 7 })));
  });

  it("stops at a row that breaks one, and nothing of its batch is written", async () => {
    const table = Table.open(memoryStore());
    await table.create({ schema, properties });
    const options = { checkpoint: memoryStore() };
    const stream = streamOf(counter(101), { offsetOf, maxRowsPerTrigger: 60 });
    await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () => stream.toTable(table, options));
    expect(await table.count()).toBe(60);
  });

  it("of another table has its columns filled too", async () => {
    const [table, source] = [Table.open(memoryStore()), Table.open(memoryStore())];
    await table.create({ schema, properties });
    await source.append([{ x: 5 }], { schema: { x: "integer" } });
    await source.stream().toTable(table, { checkpoint: memoryStore() });
    expect(await table.toArray()).toEqual([{ id: 1n, x: 5, y: 10, z: 7 }]);
  });
});
