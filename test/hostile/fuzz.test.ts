import { expect, test } from "vitest";
import { DeltaError } from "#src/errors.js";
import { parseCommit } from "#src/log/commitFile.js";
import { readLastCheckpoint } from "#src/log/lastCheckpoint.js";
import { LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { numRecordsOf } from "#src/log/numRecords.js";
import { canonicalPath, storePath } from "#src/log/paths.js";
import { columnBounds, parseStatistics } from "#src/schema/fileStatistics.js";
import { parseSchema, schemaToJson } from "#src/schema/json.js";
import { parsePartitionValue } from "#src/schema/partition.js";
import type { DataType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import fc from "../fastCheck.js";
import { askAll, freshLocation, metaData, PROTOCOL, putLines } from "./tables.js";

/** The value, or the code of the DeltaError; any other error is thrown. */
async function outcomeOf<T>(action: () => T): Promise<Awaited<T> | DeltaError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof DeltaError) return error;
    throw error;
  }
}

const encoder = new TextEncoder();
const NAMES = ["__proto__", "constructor", "toString", "length", "id", "p", "", ".", "a.b", "\0", "\ufeff"];
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary", maxLength: 8 }));
const odd = fc.constantFrom(-1, 0, 1.5, 1e300, -0, 2 ** 53, 2 ** 63, "", "x", "1e999", "\ud800", null, true, [], {});
const anything = fc.oneof(odd, fc.jsonValue({ maxDepth: 3 }));
/** Mostly what belongs there. */
const either = (sound: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 4, arbitrary: sound }, { weight: 1, arbitrary: anything });
const textMap = either(fc.dictionary(name, either(fc.string()), { maxKeys: 3 }));
const path = fc.oneof(
  fc.constantFrom(
    "../x",
    "%2e%2e/x",
    "/etc/passwd",
    "file:///etc/passwd",
    "s3://b/x",
    "a%00",
    "_delta_log/x",
    "a//b/./c",
    "%",
    "%e9",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc
    .array(fc.constantFrom("..", ".", "", "%2e", "%2F", "a", "\\", "C:", "file:", "%00", "/"), { maxLength: 8 })
    .map((parts) => parts.join("/")),
);
const stats = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc
    .record({
      numRecords: anything,
      minValues: either(fc.dictionary(name, anything)),
      maxValues: anything,
      nullCount: anything,
    })
    .map((value) => JSON.stringify(value)),
);
const vector = either(
  fc.record({
    storageType: either(fc.constantFrom("u", "i", "p")),
    pathOrInlineDv: anything,
    offset: anything,
    sizeInBytes: anything,
    cardinality: anything,
  }),
);

const action = fc.oneof(
  fc.record({
    add: either(
      fc.record(
        {
          path: either(path),
          partitionValues: textMap,
          size: either(fc.nat()),
          modificationTime: either(fc.nat()),
          dataChange: either(fc.boolean()),
          stats: either(stats),
          tags: textMap,
          deletionVector: vector,
        },
        { requiredKeys: ["path", "size"] },
      ),
    ),
  }),
  fc.record({
    remove: either(
      fc.record(
        { path: either(path), deletionTimestamp: anything, dataChange: either(fc.boolean()), partitionValues: textMap },
        { requiredKeys: ["path"] },
      ),
    ),
  }),
  fc.record({ txn: either(fc.record({ appId: either(name), version: either(fc.nat()), lastUpdated: anything })) }),
  fc.record({
    metaData: either(
      fc.record(
        {
          id: anything,
          schemaString: either(fc.json()),
          partitionColumns: either(fc.array(name)),
          configuration: textMap,
          format: anything,
        },
        { requiredKeys: [] },
      ),
    ),
  }),
  fc.record({
    protocol: either(
      fc.record(
        {
          minReaderVersion: either(fc.nat(4)),
          minWriterVersion: either(fc.nat(8)),
          readerFeatures: anything,
          writerFeatures: either(fc.array(name)),
        },
        { requiredKeys: [] },
      ),
    ),
  }),
  fc.record({
    domainMetadata: either(fc.record({ domain: either(name), configuration: anything, removed: anything })),
  }),
  fc.record({ commitInfo: either(fc.dictionary(name, anything)) }),
  fc.dictionary(fc.constantFrom("add", "remove", "txn", "commitInfo", "metaData", "protocol", "cdc", "x"), anything),
);
/** Raw text in place of JSON now and then. */
const line = fc.oneof(
  { weight: 8, arbitrary: action.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
);

test("a commit of any lines is its actions, or DELTA_LOG_CORRUPT with file and line", async () => {
  let [read, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
      const outcome = await outcomeOf(() => parseCommit(5, encoder.encode(lines.join("\n"))));
      if (outcome instanceof DeltaError) {
        expect(outcome.code).toBe("DELTA_LOG_CORRUPT");
        expect(outcome.data).toMatchObject({ version: 5, path: "_delta_log/00000000000000000005.json" });
        refused++;
      } else {
        for (const found of outcome) expect(Object.keys(found)).toHaveLength(1);
        read++;
      }
    }),
    { numRuns: 1500 },
  );
  expect(Math.min(read, refused)).toBeGreaterThan(100);
});

test("a commit of any bytes is its actions, or DELTA_LOG_CORRUPT", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const outcome = await outcomeOf(() => parseCommit(5, bytes));
      if (outcome instanceof DeltaError) expect(outcome.code).toBe("DELTA_LOG_CORRUPT");
    }),
    { numRuns: 500 },
  );
});

test("a table with any actions answers each question with a value or a DeltaError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 4 }), async (lines) => {
      const location = freshLocation();
      await putLines(location, 0, [PROTOCOL, metaData(), ...lines]);
      await askAll(location);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: 250 },
  );
});

const field = fc.letrec<{ type: unknown; field: unknown }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      "long",
      "string",
      "decimal(10,2)",
      "decimal(99,2)",
      "decimal",
      "variant",
      "__proto__",
      "constructor",
      "",
    ),
    fc.record({ type: fc.constant("array"), elementType: tie("type"), containsNull: anything }),
    fc.record({ type: fc.constant("map"), keyType: tie("type"), valueType: tie("type") }),
    fc.record({ type: fc.constant("struct"), fields: either(fc.array(tie("field"), { maxLength: 3 })) }),
    anything,
  ),
  field: fc.record({ name: either(name), type: tie("type"), nullable: either(fc.boolean()), metadata: anything }),
})).field;

test("a schema string is a schema that can be written again, or a DeltaError", async () => {
  const text = fc.oneof(
    fc.array(field, { maxLength: 4 }).map((fields) => JSON.stringify({ type: "struct", fields })),
    fc.json(),
    fc.string(),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(text, async (json) => {
      const outcome = await outcomeOf(() => parseSchema(json));
      if (outcome instanceof DeltaError) {
        expect(["DELTA_INVALID_SCHEMA", "DELTA_UNSUPPORTED_FEATURES_FOR_READ"]).toContain(outcome.code);
      } else {
        expect(parseSchema(schemaToJson(outcome))).toEqual(outcome);
        read++;
      }
    }),
    { numRuns: 1500 },
  );
  expect(read).toBeGreaterThan(50);
});

test("_last_checkpoint of any content is a version or no hint", async () => {
  const hint = fc.record(
    { version: either(fc.nat()), size: anything, checksum: anything, x: anything },
    { requiredKeys: [] },
  );
  const content = fc
    .oneof(
      hint.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string(),
    )
    .map((text) => encoder.encode(text));
  await fc.assert(
    fc.asyncProperty(fc.oneof(content, fc.uint8Array()), async (bytes) => {
      const store = memoryStore();
      await store.put(LAST_CHECKPOINT_PATH, bytes);
      const version = (await readLastCheckpoint(store))?.version;
      if (version !== undefined) expect(Number.isSafeInteger(version) && version >= 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("a path of the log is a path within the store, the same for all its spellings, or refused", async () => {
  const store = memoryStore("fuzz-paths");
  let within = 0;
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.constantFrom("/data/t", "/", "s3://bucket/t", "s3://bucket", "C:\\t", "memory:t"),
      async (given, url) => {
        const outcome = await outcomeOf(() => storePath({ url }, given));
        if (outcome instanceof DeltaError) {
          expect(outcome).toMatchObject({ code: "DELTA_UNSUPPORTED_FILE_PATH", data: { path: given } });
          return;
        }
        within++;
        expect(outcome.split("/")).not.toContain("..");
        expect(outcome.startsWith("/")).toBe(false);
        // A store takes it: what fails is that there is no such file.
        expect(await outcomeOf(() => store.get(outcome))).toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
        expect(canonicalPath(canonicalPath(given).replaceAll("%", "%25"))).toBe(canonicalPath(given));
      },
    ),
    { numRuns: 3000 },
  );
  expect(within).toBeGreaterThan(500);
});

const TYPES: readonly DataType[] = [
  ...([
    "string",
    "long",
    "integer",
    "short",
    "byte",
    "float",
    "double",
    "boolean",
    "binary",
    "date",
    "timestamp",
  ] as const),
  ...(["timestamp_ntz", "decimal(10,2)", "decimal(38,0)"] as const),
  { type: "array", elementType: "long", containsNull: true },
];

test("statistics of any text are bounds of the column's type, or none", async () => {
  await fc.assert(
    fc.property(
      fc.oneof(stats, fc.string()),
      fc.constantFrom(...TYPES),
      fc.array(name, { minLength: 1, maxLength: 2 }),
      (text, type, column) => {
        const rows = numRecordsOf(text);
        if (rows !== undefined) expect(Number.isSafeInteger(rows) && rows >= 0).toBe(true);
        const parsed = parseStatistics(text);
        if (parsed === undefined) return;
        const { min, max, nullCount } = columnBounds(parsed, column, type);
        for (const bound of [min, max])
          expect(["undefined", "number", "bigint", "string", "boolean"]).toContain(typeof bound);
        if (nullCount !== undefined) expect(Number.isSafeInteger(nullCount)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});

test("a partition value of any text is a value of the column's type, or DELTA_LOG_CORRUPT", async () => {
  const text = fc.oneof(
    fc.constantFrom("constructor", "__proto__", "NaN", "-Infinity", "1e999", "2024-02-30", "+999999-01-01", "\\u00zz"),
    fc.string({ unit: "binary" }),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom(...TYPES), async (given, type) => {
      const outcome = await outcomeOf(() => parsePartitionValue(type, given, { column: "p" }));
      if (outcome instanceof DeltaError)
        expect(outcome).toMatchObject({ code: "DELTA_LOG_CORRUPT", data: { column: "p" } });
      else if (type === "boolean") expect([true, false, null]).toContain(outcome);
      else expect(typeof outcome === "function").toBe(false);
    }),
    { numRuns: 2000 },
  );
});
