import { expect, test } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../../expectCode.js";

const field = (name: string, type: string) => ({
  name,
  type: "string" as const,
  nullable: true,
  metadata: { __CHAR_VARCHAR_TYPE_STRING: type },
});

test("texts of char(n) and varchar(n) columns have n characters at most", async () => {
  const table = Table.open(memoryStore());
  await table.create({ schema: { type: "struct", fields: [field("c", "char(2)"), field("v", "varchar(3)")] } });
  await table.append([
    { c: "ab", v: "äöü" },
    { c: null, v: "" },
    { c: "x", v: "🙂🙂🙂" },
  ]);
  const error = await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () =>
    table.append([{ c: "ab", v: "abc" }, { v: "abcd" }]),
  );
  expect(error.data).toMatchObject({ row: 1, column: "v", constraint: "varchar(3)", values: { v: "abcd" } });
  await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () => table.append([{ c: "abc" }]));
  await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () => table.update({ set: { c: "abc" } }));
  expect(await table.count()).toBe(3);
});
