import { tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { parquetTree } from "#src/parquet/fileSchema.js";
import { int96Hint } from "#src/parquet/int96.js";

test("columns keep their ids beside an INT96 one, nested ones too", () => {
  const optional = { repetition_type: "OPTIONAL" } as const;
  const root = parquetTree([
    { name: "schema", num_children: 3 },
    { name: "at", type: "INT96", ...optional, field_id: 7 },
    { name: "s", ...optional, num_children: 1, field_id: 8 },
    { name: "x", type: "INT32", ...optional, field_id: 9 },
    { name: "plain", type: "INT32", ...optional },
  ]);
  const { fields } = tableFromIPC(Buffer.from(int96Hint(root)!, "base64")).schema;
  const inner = fields[1]!.type.children[0]!;
  const ids = [...fields, inner].map(({ metadata }) => metadata.get("PARQUET:field_id"));
  expect(ids).toEqual(["7", "8", undefined, "9"]);
});
