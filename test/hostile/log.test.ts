import { afterEach, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { replaceLimits } from "#src/limits.js";
import { forEachAction } from "#src/log/commitFile.js";
import { readLastCheckpoint } from "#src/log/lastCheckpoint.js";
import { commitPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { openStore } from "#src/storage/open.js";
import { expectCode } from "../expectCode.js";
import { add, askAll, freshLocation, metaData, PROTOCOL, putLines, schemaString, tableOf } from "./tables.js";

let restore = () => {};
afterEach(() => restore());

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const bytes = (text: string) => new TextEncoder().encode(text);

describe("an action of another shape", () => {
  const addWith = (fields: string) => `{"add":{"path":"a","size":1,"dataChange":true,"modificationTime":1,${fields}}}`;
  test.each([
    ["nested partition values", addWith(`"partitionValues":{"p":${nested(100_000)}}`)],
    ["nested tags", addWith(`"partitionValues":{},"tags":${nested(100_000)}`)],
    ["partition values in an array", add({ partitionValues: ["x"] })],
    ["partition values as a text", add({ partitionValues: "x" })],
    ["a partition value that is a number", add({ partitionValues: { id: 5 } })],
    ["a negative size", add({ size: -1 })],
    ["a size with a fraction", add({ size: 1.5 })],
    ["a size beyond 2^53", add({ size: 2 ** 53 })],
    ["a time as a text", add({ modificationTime: "x" })],
    ["a time beyond 2^53", add({ modificationTime: 1e300 })],
    ["a dataChange as a text", add({ dataChange: "false" })],
    ["statistics as an object", add({ stats: {} })],
    ["tags as a text", add({ tags: "x" })],
    ["a deletion vector as a text", add({ deletionVector: "x" })],
    [
      "a deletion vector beyond 2^31 bytes",
      add({
        deletionVector: { storageType: "u", pathOrInlineDv: "x", offset: 2 ** 31, sizeInBytes: 1, cardinality: 1 },
      }),
    ],
    ["a deletion vector without its cardinality", add({ deletionVector: { storageType: "u", pathOrInlineDv: "x" } })],
    [
      "a deletion vector of negative size",
      add({ deletionVector: { storageType: "u", pathOrInlineDv: "x", sizeInBytes: -1, cardinality: 1 } }),
    ],
    ["a row id as a text", add({ baseRowId: "x" })],
    ["a version of an application as a text", '{"txn":{"appId":"a","version":"5"}}'],
    ["a version of an application with a fraction", '{"txn":{"appId":"a","version":1.5}}'],
    ["a version of an application beyond 64 bits", '{"txn":{"appId":"a","version":1e400}}'],
    ["nesting beside a long version", `{"txn":{"appId":"a","version":9007199254740993,"x":${nested(100_000)}}}`],
    ["a domain's configuration as a number", '{"domainMetadata":{"domain":"a","configuration":5}}'],
    ["a schema as a number", metaData({ schemaString: 5 })],
    ["a configuration as an array", metaData({ configuration: ["x"] })],
    ["a property as a number", metaData({ configuration: { "delta.checkpointInterval": 5 } })],
    ["a property __proto__", '{"metaData":{"configuration":{"__proto__":{"delta.appendOnly":"true"}}}}'],
    ["a format as a text", metaData({ format: "parquet" })],
    ["partition columns as a text", metaData({ partitionColumns: "id" })],
    ["partition columns as numbers", metaData({ partitionColumns: [1, null] })],
    ["a name as an object", metaData({ name: {} })],
    ["features as a text", '{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":"x"}}'],
    ["versions as texts", '{"protocol":{"minReaderVersion":"1","minWriterVersion":2}}'],
    ["two actions in a line", `{"txn":{"appId":"a","version":1},${metaData().slice(1)}`],
    ["nesting nobody asked for", `{"other":${nested(100_000)}}`],
  ])("%s: the log is corrupt, and the error names file and line", async (_, line) => {
    const location = await tableOf(metaData(), line);
    const answers = await askAll(location);
    expect(new Set(Object.values(answers))).toEqual(new Set(["DELTA_LOG_CORRUPT"]));
    const error = await expectCode("DELTA_LOG_CORRUPT", () => Table.open(location).version());
    expect(error).toMatchObject({ kind: "fix-data", data: { path: commitPath(0), line: 3 } });
  });

  test("beside a null one is the action, and nothing else of the line counts", async () => {
    const location = await tableOf(metaData(), '{"add":null,"txn":{"appId":"a","version":1},"x":1}');
    expect(await Table.open(location).version()).toBe(0);
    expect(await Table.open(location).files()).toEqual([]);
  });

  test("in commitInfo is its writer's affair: history shows what is of its type", async () => {
    const info = { operation: {}, operationMetrics: { a: 1, b: {} }, userMetadata: [], readVersion: "x", txnId: 5 };
    const location = await tableOf(metaData(), JSON.stringify({ commitInfo: info }));
    const [entry] = await Table.open(location).history();
    expect(entry).toMatchObject({ operation: null, operationMetrics: { a: "1" }, userMetadata: null, txnId: null });
    const deep = await tableOf(metaData(), `{"commitInfo":{"operationParameters":${nested(100_000)}}}`);
    await expectCode("DELTA_LOG_CORRUPT", () => Table.open(deep).history());
    expect(await Table.open(deep).version()).toBe(0);
  });

  test("in time: one that no Date holds is none", async () => {
    expect((await Table.open(await tableOf(metaData({ createdTime: 9e15 }))).detail()).createdAt).toBeNull();
    const inCommit = metaData({ configuration: { "delta.enableInCommitTimestamps": "true" } });
    const location = freshLocation();
    const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["inCommitTimestamp"] };
    await putLines(location, 0, ['{"commitInfo":{"inCommitTimestamp":1e300}}', JSON.stringify({ protocol }), inCommit]);
    await expectCode("DELTA_LOG_CORRUPT", () => Table.open(location).history());
  });
});

describe("limits of a commit", () => {
  test("a line longer than MAX_COMMIT_LINE_BYTES is refused, wherever it stands", async () => {
    restore = replaceLimits({ MAX_COMMIT_LINE_BYTES: 1000 });
    const long = `{"x":"${"y".repeat(1000)}"}`;
    for (const lines of [
      [metaData(), long],
      [long, metaData()],
    ]) {
      const error = await expectCode("DELTA_LOG_CORRUPT", async () => Table.open(await tableOf(...lines)).version());
      expect(error.data).toMatchObject({ path: commitPath(0), line: lines.indexOf(long) + 2 });
    }
    expect(await Table.open(await tableOf(metaData(), `{"x":"${"y".repeat(990)}"}`)).version()).toBe(0);
  });

  test("a line of 70 million bytes is refused by default, without becoming a string", async () => {
    const line = new Uint8Array(70_000_000).fill(0x20);
    const error = await expectCode("DELTA_LOG_CORRUPT", () =>
      forEachAction(3, line, { commitInfo: false }, () => undefined),
    );
    expect(error.data).toMatchObject({ version: 3, line: 1 });
  });

  test("a commit longer than what is read ahead is read whole", async () => {
    restore = replaceLimits({ COMMIT_PART_BYTES: 500 });
    const location = await tableOf(metaData(), ...Array.from({ length: 50 }, (_, i) => add({ path: `${i}.parquet` })));
    const table = Table.open(location);
    expect(await table.files()).toHaveLength(50);
    await putLines(location, 1, [add({ path: "last.parquet" }), ...Array.from({ length: 50 }, () => '{"x":1}')]);
    expect(await table.files()).toHaveLength(51);
  });

  test("a commit longer than MAX_COMMIT_BYTES is refused", async () => {
    restore = replaceLimits({ COMMIT_PART_BYTES: 500, MAX_COMMIT_BYTES: 2000 });
    const location = await tableOf(metaData(), ...Array.from({ length: 50 }, () => add()));
    const error = await expectCode("DELTA_LOG_CORRUPT", () => Table.open(location).version());
    expect(error.data).toMatchObject({ path: commitPath(0), limit: 2000 });
  });

  test("a million tiny actions are passed through piece by piece", () => {
    const line = bytes('{"remove":{"path":"x"}}\n');
    const commit = new Uint8Array(1_000_000 * line.length);
    for (let at = 0; at < commit.length; at += line.length) commit.set(line, at);
    let count = 0;
    forEachAction(1, commit, { commitInfo: true }, () => count++);
    expect(count).toBe(1_000_000);
  });

  test("a line of more values than MAX_JSON_VALUES is refused before it is parsed", async () => {
    const location = await tableOf(metaData(), `{"x":[${"{},".repeat(3_000_000)}{}]}`);
    await expectCode("DELTA_LOG_CORRUPT", () => Table.open(location).version());
  });
});

describe("the text of a commit", () => {
  test.each([
    ["bytes that aren't UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
    ["NUL bytes", new Uint8Array(1000)],
    ["half a line", bytes(`${PROTOCOL}\n${metaData()}\n{"add":{"path":"`)],
    ["an array", bytes("[]\n")],
  ])("%s: corrupt", async (_, content) => {
    const location = freshLocation();
    await openStore(location).put(commitPath(0), content);
    expect(new Set(Object.values(await askAll(location)))).toEqual(new Set(["DELTA_LOG_CORRUPT"]));
  });

  test("of doubled keys the last one counts, for the checks too", async () => {
    const line = add().replace('"path":"a.parquet"', '"path":"a.parquet","path":"../../etc/passwd"');
    const location = await tableOf(metaData(), line);
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => Table.open(location).scan().toArray());
  });
});

describe("versions", () => {
  test("a log that begins at 2^53 - 1, or beyond what a number can hold, is no table, and nobody counts up to it", async () => {
    for (const name of ["00009007199254740991.json", "00009007199254740993.json", "99999999999999999999.json"]) {
      const location = freshLocation();
      await openStore(location).put(`_delta_log/${name}`, bytes(`${PROTOCOL}\n${metaData()}\n`));
      const answers = new Set(Object.values(await askAll(location)));
      expect(answers.has("value")).toBe(name !== "00009007199254740991.json");
      for (const answer of answers) {
        expect(["DELTA_VERSIONS_NOT_CONTIGUOUS", "DELTA_TABLE_NOT_FOUND", "value"]).toContain(answer);
      }
    }
  });
});

describe("_last_checkpoint", () => {
  const hintOf = async (content: string) => {
    const store = memoryStore();
    await store.put(LAST_CHECKPOINT_PATH, bytes(content));
    return readLastCheckpoint(store);
  };

  test("larger than MAX_LAST_CHECKPOINT_BYTES is no hint, and isn't read whole", async () => {
    const large = `{"version":5,"size":1,"x":"${" ".repeat(2_000_000)}"}`;
    expect(await hintOf(large)).toBeUndefined();
    const asked: (number | undefined)[] = [];
    const store = memoryStore();
    await store.put(LAST_CHECKPOINT_PATH, bytes(large));
    const counting = Object.assign(Object.create(store), {
      get: (path: string, range?: { start: number; end: number }) => {
        asked.push(range?.end);
        return store.get(path, range);
      },
    });
    await readLastCheckpoint(counting);
    expect(asked).toEqual([1024 * 1024 + 1]);
  });

  test.each([
    ["nested too deep", `{"version":5,"size":1,"checksum":"0","x":${nested(100_000)}}`],
    [
      "whose checksum's form is a thousand times its size",
      `{"version":5,"size":1,"checksum":"0","${"k".repeat(400_000)}":{${Array.from({ length: 20_000 }, (_, i) => `"${i}":1`).join(",")}}}`,
    ],
    ["with a version beyond 2^53", '{"version":9007199254740993,"size":1}'],
  ])("%s is no hint", async (_, content) => {
    expect(await hintOf(content)).toBeUndefined();
  });
});

describe("schemas", () => {
  const inArrays = (depth: number) =>
    `${'{"type":"array","elementType":'.repeat(depth)}"long"${',"containsNull":true}'.repeat(depth)}`;
  const schemaOf = (type: string) => `{"type":"struct","fields":[{"name":"id","type":${type}}]}`;

  test.each([
    ["nested 10,000 deep", schemaOf(inArrays(10_000))],
    ["nested 10,000 deep, with a long number", schemaOf(inArrays(10_000)).replace("{", '{"x":1234567890123456789,')],
    ["nested 200 deep", schemaOf(inArrays(200))],
    ["not JSON", "{"],
    ["a bare array", nested(100_000)],
    ["with a type that is an object", schemaOf('{"type":{}}')],
    ["with a type __proto__", schemaOf('"__proto__"')],
    ["with a type constructor", schemaOf('"constructor"')],
    ["with a name that is no text", '{"type":"struct","fields":[{"name":5,"type":"long"}]}'],
    ["without a partition column of the metadata", schemaOf('"long"')],
  ])("%s: an error, never an overflow", async (what, schema) => {
    const partitionColumns = what.startsWith("without") ? ["zz"] : [];
    const location = await tableOf(metaData({ schemaString: schema, partitionColumns }));
    const answers = await askAll(location);
    for (const question of ["rows", "count", "schema", "append"])
      expect(answers[question]).toBe("DELTA_INVALID_SCHEMA");
  });

  test("a nested or doubled partition column is an error", async () => {
    const nestedType = { type: "array", elementType: "long", containsNull: true };
    const nestedColumn = { schemaString: schemaString(["id", nestedType]), partitionColumns: ["id"] };
    for (const more of [nestedColumn, { partitionColumns: ["id", "id"] }]) {
      const location = await tableOf(metaData(more));
      await expectCode("DELTA_INVALID_SCHEMA", () => Table.open(location).schema());
    }
  });

  test("of 100,000 columns is read", async () => {
    const fields = Array.from({ length: 100_000 }, (_, i) => [`column_${i}`, "long"] as const);
    const location = await tableOf(metaData({ schemaString: schemaString(...fields) }));
    expect((await Table.open(location).schema()).fields).toHaveLength(100_000);
    expect(await Table.open(location).count()).toBe(0);
    const error = await expectCode("DELTA_INVALID_ARGUMENT", () =>
      Table.open(location)
        .scan({ columns: ["x"] })
        .count(),
    );
    expect(error.message.length).toBeLessThan(11_000);
  });
});

describe("statistics and partition values", () => {
  const countWith = async (stats: string) => Table.open(await tableOf(metaData(), add({ stats }))).count();

  test.each([
    ["a number beyond 2^53", '{"numRecords":99999999999999999999,"x":1}'],
    ["a number of 400 digits", `{"numRecords":${"9".repeat(400)}}`],
    ["a negative number", '{"numRecords":-5}'],
    ["nesting", nested(100_000)],
    ["too many values", `{"x":[${"{},".repeat(3_000_000)}{}],"numRecords":1}`],
  ])("%s is no row count: the file is asked", async (_, stats) => {
    await expectCode("DELTA_FILE_NOT_FOUND", () => countWith(stats));
  });

  test.each(["1e99999999", "1e5000000", "9".repeat(10_000_000)])("the bound %.20s skips no file", async (bound) => {
    const stats = `{"numRecords":1,"minValues":{"id":${bound}},"maxValues":{"id":${bound}},"nullCount":{"id":0}}`;
    const location = await tableOf(metaData(), add({ stats }));
    await expectCode("DELTA_FILE_NOT_FOUND", () =>
      Table.open(location)
        .scan({ where: { id: 5n } })
        .count(),
    );
  });

  test("a name that every object has is no partition value of a boolean column", async () => {
    for (const text of ["constructor", "__proto__", "valueof"]) {
      const meta = metaData({ schemaString: schemaString(["id", "long"], ["b", "boolean"]), partitionColumns: ["b"] });
      const location = await tableOf(meta, add({ partitionValues: { b: text } }));
      await expectCode("DELTA_LOG_CORRUPT", () =>
        Table.open(location)
          .scan({ where: { b: true } })
          .count(),
      );
    }
  });

  test("a byte order mark at the begin of a partition value belongs to it", async () => {
    const table = Table.open(freshLocation());
    await table.append([{ id: 1n, p: "\ufeffx" }], { partitionBy: ["p"] });
    expect(await table.scan().toArray()).toEqual([{ id: 1n, p: "\ufeffx" }]);
    expect(await table.scan({ where: { p: "\ufeffx" } }).count()).toBe(1);
    await expectCode("DELTA_INVALID_SCHEMA", () => Table.open(freshLocation()).append([{ "\ufeffid": 1n }]));
    const foreign = await tableOf(metaData({ schemaString: schemaString(["\ufeffid", "long"]) }));
    await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_READ", () => Table.open(foreign).scan().toArray());
  });

  test("an integer of ten million digits is no partition value, and is refused at once", async () => {
    const meta = metaData({ schemaString: schemaString(["id", "long"], ["p", "long"]), partitionColumns: ["p"] });
    const location = await tableOf(meta, add({ partitionValues: { p: "9".repeat(10_000_000) } }));
    const error = await expectCode("DELTA_LOG_CORRUPT", () =>
      Table.open(location)
        .scan({ where: { p: 1n } })
        .count(),
    );
    expect(error.message.length).toBeLessThan(11_000);
  });
});
