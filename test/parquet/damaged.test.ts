import { Field, Int32, Int64, List, Utf8 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import { encode, fixture, read, vector } from "./fixtures.js";

/** Numbers in [0, 1), the same ones for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

async function originals(): Promise<Uint8Array[]> {
  const rows = Array.from({ length: 500 }, (_, i) => i);
  const columns = {
    id: vector(new Int64(), rows.map(BigInt)),
    s: vector(
      new Utf8(),
      rows.map((i) => `name ${i % 9}`),
    ),
    list: vector(
      new List(new Field("item", new Int32(), true)),
      rows.map((i) => [i, null]),
    ),
  };
  const files = ["snappy", "zstd", "gzip", "uncompressed"] as const;
  return Promise.all([
    ...files.map((compression) => encode(columns, { compression, rowGroupRows: 200 })),
    fixture("int96"),
    fixture("arrow-types"),
    fixture("brotli"),
    fixture("lz4"),
  ]);
}

describe("a damaged file", () => {
  it("gives an error that names it, or rows, and never hangs or breaks later reads", async () => {
    const random = randomFrom(42);
    const below = (limit: number) => Math.floor(random() * limit);
    const files = await originals();
    const outcomes = { rows: 0, unreadable: 0 };
    for (let i = 0; i < 600; i++) {
      const bytes = files[below(files.length)]!.slice();
      const flips = 1 + below(4);
      for (let k = 0; k < flips; k++) bytes[below(bytes.length)]! ^= 1 << below(8);
      const cut = below(5) === 0 ? bytes.slice(0, below(bytes.length)) : bytes;
      try {
        await read(cut);
        outcomes.rows++;
      } catch (error) {
        if (!(error instanceof DeltaError)) throw error;
        expect(error).toMatchObject({ code: "DELTA_PARQUET_UNREADABLE", data: { path: "file" } });
        outcomes.unreadable++;
      }
    }
    expect(outcomes.unreadable).toBeGreaterThan(100);
    expect(outcomes.rows).toBeGreaterThan(50);
    for (const bytes of files) expect((await read(bytes)).length).toBeGreaterThan(0);
  });
});
