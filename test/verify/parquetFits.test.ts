import { describe, expect, it } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { type DataType, type StructType, Table } from "#src/index.js";
import { readFooter } from "#src/parquet/footer.js";
import { readParquet } from "#src/parquet/read.js";
import { memoryStore } from "#src/storage/memory.js";
import { parquetFits } from "#src/verify/parquetFits.js";

const PRIMITIVES: readonly DataType[] = [
  "byte",
  "short",
  "integer",
  "long",
  "float",
  "double",
  "decimal(3,0)",
  "decimal(10,2)",
  "decimal(20,2)",
  "decimal(38,10)",
  "string",
  "binary",
  "boolean",
  "date",
  "timestamp",
  "timestamp_ntz",
];
const array = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });
const map = (valueType: DataType): DataType => ({ type: "map", keyType: "string", valueType, valueContainsNull: true });
const struct = (type: DataType): DataType => ({
  type: "struct",
  fields: [{ name: "a", type, nullable: true, metadata: {} }],
});
const NESTED = [array("long"), array(array("string")), map("integer"), struct("date"), array(struct("double"))];
const TYPES = [...PRIMITIVES, ...NESTED];

const schemaOf = (type: DataType): StructType => ({
  type: "struct",
  fields: [{ name: "c", type, nullable: true, metadata: {} }],
});

function canBeCast(batch: Parameters<typeof conformBatch>[0], type: DataType): boolean {
  try {
    conformBatch(batch, schemaOf(type));
    return true;
  } catch {
    return false;
  }
}

describe("parquetFits", () => {
  it.each(TYPES.map((type) => [JSON.stringify(type), type] as const))(
    "says of a file's %s what reading its column as any type says",
    async (_, type) => {
      const store = memoryStore();
      const table = Table.open(store);
      await table.create({ schema: schemaOf(type) });
      // A null can be cast wherever types can.
      await table.append([{ c: null }]);
      const [file] = await table.files();
      const footer = await readFooter(store, { path: file!.path, sizeBytes: file!.size });
      const [node] = footer.root.children;
      for await (const batch of readParquet(store, footer.file)) {
        for (const other of TYPES) {
          expect([other, parquetFits(node!, other)]).toEqual([other, canBeCast(batch, other)]);
        }
      }
      expect(parquetFits(node!, type)).toBe(true);
    },
  );
});
