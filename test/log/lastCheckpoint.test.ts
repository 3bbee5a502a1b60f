import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { jsonChecksum, readLastCheckpoint, writeLastCheckpoint } from "#src/log/lastCheckpoint.js";
import { LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import fc from "../fastCheck.js";

test("[R-LAST-2] the checksum is that of the protocol's example", () => {
  const example = {
    k0: "'v 0'",
    checksum: "adsaskfljadfkjadfkj",
    k1: { k2: 2, k3: ["v3", [1, 2], { k4: "v4", k5: ["v5", "v6", "v7"] }] },
  };
  expect(jsonChecksum(example)).toBe("6a92d155a59bf2eecbd4b4ec7fd1f875");
});

test("what is written is read back, with its checksum", async () => {
  const store = memoryStore();
  await writeLastCheckpoint(store, { version: 12, size: 3, sizeInBytes: 99, numOfAddFiles: 1 });
  expect(await readLastCheckpoint(store)).toEqual({ version: 12, sizeBytes: 99 });
  const json = JSON.parse(new TextDecoder().decode(await store.get(LAST_CHECKPOINT_PATH)));
  expect(json.checksum).toBe(jsonChecksum({ version: 12, size: 3, sizeInBytes: 99, numOfAddFiles: 1 }));
});

test.each(["", "{", "null", "[]", '{"version":"1"}', '{"version":-1}', '{"version":5,"size":1,"checksum":"00"}'])(
  "[R-LAST-1] %j is no hint",
  async (text) => {
    const store = memoryStore();
    await store.put(LAST_CHECKPOINT_PATH, new TextEncoder().encode(text));
    expect(await readLastCheckpoint(store)).toBeUndefined();
  },
);

test("lines are in the order of their paths' bytes, also those of a member that is kept", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, fc.string({ unit: "grapheme" }), fc.integer(), tie("array"), tie("object")),
    array: fc.array(tie("any"), { maxLength: 12 }),
    object: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("a", "a-", "a+", "a=", "A", "1", "10")), tie("any")),
  }));
  const quoted = (text: string) =>
    `"${[...Buffer.from(text)].map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)).join("")}"`;
  const linesOf = (path: string, found: unknown): [string, string][] => {
    if (typeof found !== "object" || found === null) {
      return [[path, typeof found === "string" ? quoted(found) : String(found)]];
    }
    const prefix = path === "" ? "" : `${path}+`;
    const name = (key: string) => (Array.isArray(found) ? key : quoted(key));
    return Object.entries(found).flatMap(([key, inner]) => linesOf(prefix + name(key), inner));
  };
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value.any), value.object, (members, kept) => {
      const { checksum: _, ...rest } = members;
      const hint = { ...rest, checkpointSchema: kept };
      const lines = linesOf("", hint).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const text = lines.map(([path, told]) => `${path}=${told}`).join(",");
      const expected = createHash("md5").update(text).digest("hex");
      expect(jsonChecksum(hint)).toBe(expected);
      for (let i = 0; i < 2; i++) expect(jsonChecksum(hint, kept as object)).toBe(expected);
    }),
  );
});
