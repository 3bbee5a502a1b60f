import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  Table as ArrowTable,
  Binary,
  Field,
  Int32,
  Int64,
  List,
  makeData,
  makeVector,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { describe, expect, test } from "vitest";
import { arrowSource } from "#src/cli/sources/arrow.js";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/index.js";
import { replaceLimits } from "#src/limits.js";
import { inFolder } from "../cli/command.js";
import { expectCode } from "../expectCode.js";
import { freshLocation } from "./tables.js";

const sound = new ArrowTable({
  id: vectorFromArray([1n, null, 3n], new Int64()),
  name: vectorFromArray(["ä", null, "name"], new Utf8()),
  // The same text in few bytes: vectors of texts are dictionaries by default.
  kind: vectorFromArray(["x", "x", "y"]),
  list: vectorFromArray([[1, 2], null, []], new List(new Field("item", new Int32(), true))),
});
const KINDS = ["stream", "file"] as const;

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
}

/** Appends the bytes to a new table and reads it: the rows, or the error's code. Any other error is thrown. */
async function outcomeOf(input: Uint8Array | string): Promise<number | string> {
  try {
    const table = Table.open(freshLocation());
    await table.append(await arrowSource(typeof input === "string" ? input : chunksOf(input), "f", undefined));
    return (await table.scan().toArray()).length;
  } catch (error) {
    if (error instanceof DeltaError) return error.code;
    throw error;
  }
}

const ERRORS = [
  "DELTA_INPUT_UNREADABLE",
  "DELTA_INVALID_SCHEMA",
  "DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE",
  "DELTA_VALUE_OUT_OF_RANGE",
  "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
  "DELTA_SCHEMA_MISMATCH",
  "DELTA_CANNOT_INFER_SCHEMA",
];

describe.each(KINDS)("an Arrow %s", (kind) => {
  const bytes = tableToIPC(sound, kind);

  test("that is sound is read", async () => {
    expect(await outcomeOf(bytes)).toBe(3);
    await inFolder(async (folder) => {
      await writeFile(join(folder, "x.arrow"), bytes);
      expect(await outcomeOf(join(folder, "x.arrow"))).toBe(3);
    });
  });

  test.each([2 ** 31 - 1, 2 ** 30, -1, 0])(
    "with %i in place of any of its numbers gives rows or an error, at once",
    async (number) => {
      const seen = new Set<number | string>();
      for (let at = 0; at + 4 <= bytes.length; at += 4) {
        const changed = bytes.slice();
        new DataView(changed.buffer).setInt32(at, number, true);
        const outcome = await outcomeOf(changed);
        if (typeof outcome === "string") expect(ERRORS).toContain(outcome);
        seen.add(outcome);
      }
      expect(seen).toContain("DELTA_INPUT_UNREADABLE");
    },
  );

  test("cut anywhere gives rows or an error", async () => {
    for (let length = 0; length < bytes.length; length += 7) {
      const outcome = await outcomeOf(bytes.slice(0, length));
      if (typeof outcome === "string") expect(ERRORS).toContain(outcome);
    }
  });

  test("with bits turned gives rows or an error", async () => {
    let state = 7;
    const below = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return Math.floor((state / 0x7fffffff) * limit);
    };
    for (let i = 0; i < 300; i++) {
      const changed = bytes.slice();
      for (let flips = 1 + below(3); flips > 0; flips--) changed[below(bytes.length)]! ^= 1 << below(8);
      const outcome = await outcomeOf(changed);
      if (typeof outcome === "string") expect(ERRORS).toContain(outcome);
    }
  });

  test("beyond MAX_ARROW_METADATA_BYTES or MAX_ARROW_BODY_BYTES is refused", async () => {
    for (const limit of [{ MAX_ARROW_METADATA_BYTES: 50 }, { MAX_ARROW_BODY_BYTES: 10 }]) {
      const restore = replaceLimits(limit);
      try {
        expect(await outcomeOf(bytes)).toBe("DELTA_INPUT_UNREADABLE");
      } finally {
        restore();
      }
    }
  });
});

describe("a text that isn't UTF-8", () => {
  const textsOf = (parts: readonly (readonly number[])[]) => {
    const binary = vectorFromArray(
      parts.map((part) => Uint8Array.from(part)),
      new Binary(),
    ).data[0]!;
    const { length, valueOffsets, values } = binary;
    return makeVector(makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data: values }));
  };

  test.each([
    ["wrong bytes", [[97], [0xff]], 1],
    ["a character over two texts", [[0xc3], [0xa4]], 1],
    ["a character over two texts behind a sound one", [[0xc3, 0xa4], [0xc3], [0xa4]], 2],
  ])("%s: refused with row and column, rather than written where nobody can read it", async (_, parts, row) => {
    const table = Table.open(freshLocation());
    const error = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () =>
      table.append(new ArrowTable({ s: textsOf(parts) })),
    );
    expect(error.data).toMatchObject({ row, column: "s" });
    const list = makeData({
      type: new List(new Field("item", new Utf8(), true)),
      length: 1,
      nullCount: 0,
      valueOffsets: Int32Array.of(0, parts.length),
      child: textsOf(parts).data[0]!,
    });
    const inList = await expectCode("DELTA_VALUE_OUT_OF_RANGE", () =>
      table.append(new ArrowTable({ l: makeVector(list) })),
    );
    expect(inList.data).toMatchObject({ row: 0, column: "l.element" });
  });

  test("but one that is, is written", async () => {
    const table = Table.open(freshLocation());
    await table.append(new ArrowTable({ s: textsOf([[0xc3, 0xa4], [], [0xf0, 0x9f, 0x98, 0x80]]) }));
    expect(await table.scan().toArray()).toEqual([{ s: "ä" }, { s: "" }, { s: "\u{1f600}" }]);
  });
});
