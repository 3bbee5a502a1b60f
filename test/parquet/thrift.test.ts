import { describe, expect, it } from "vitest";
import { ThriftWalker } from "#src/parquet/thrift.js";
import { ThriftWriter } from "#src/parquet/thriftWriter.js";

/** A struct with a field of each kind, ids near and far. */
function everyKind(out: ThriftWriter): void {
  out.boolField(1, true);
  out.i8Field(2, 7);
  out.i16Field(3, -300);
  out.i32Field(4, 70_000);
  out.i64Field(40, 2 ** 40);
  out.stringField(41, "é");
  out.stringsField(42, ["a", "", "c"]);
  out.structField(43, () => out.boolField(20, false));
  out.structsField(
    44,
    Array.from({ length: 20 }, (_, i) => i),
    (i) => out.i32Field(1, i - 10),
  );
  out.i32Field(45, undefined);
}

function struct(write: (out: ThriftWriter) => void): Uint8Array {
  const out = new ThriftWriter();
  out.struct(() => write(out));
  return out.finish();
}

describe("ThriftWriter and ThriftWalker", () => {
  it("copy fields of every kind as they are, whatever they mean", () => {
    const source = struct(everyKind);
    const fields = new ThriftWalker(source).fields();
    expect([...fields.keys()]).toEqual([1, 2, 3, 4, 40, 41, 42, 43, 44]);
    expect(struct((out) => out.copiedFields(fields, {}))).toEqual(source);
  });

  it("leave a field with an edit to that, which may write it or not", () => {
    const fields = new ThriftWalker(struct(everyKind)).fields();
    const edited = struct((out) =>
      out.copiedFields(fields, {
        3: () => {},
        40: (value) => out.i64Field(40, new ThriftWalker(value).zigzag() + 5),
        43: (value) =>
          out.structField(43, () => {
            expect([...new ThriftWalker(value).fields().keys()]).toEqual([20]);
            out.i32Field(21, 1);
          }),
      }),
    );
    const after = new ThriftWalker(edited).fields();
    expect([...after.keys()]).toEqual([1, 2, 4, 40, 41, 42, 43, 44]);
    expect(new ThriftWalker(after.get(40)!.value).zigzag()).toBe(2 ** 40 + 5);
    expect([...new ThriftWalker(after.get(43)!.value).fields().keys()]).toEqual([21]);
    expect(after.get(44)).toEqual(fields.get(44));
  });

  it("give a list's elements", () => {
    const fields = new ThriftWalker(struct(everyKind)).fields();
    const texts = new ThriftWalker(fields.get(42)!.value).elements();
    expect(texts.map((bytes) => Buffer.from(bytes.subarray(1)).toString())).toEqual(["a", "", "c"]);
    const structs = new ThriftWalker(fields.get(44)!.value).elements();
    const numbers = structs.map((bytes) => new ThriftWalker(new ThriftWalker(bytes).fields().get(1)!.value).zigzag());
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i - 10));
  });

  it("refuse what is cut or lies about its length, and don't read beyond it", () => {
    const source = struct(everyKind);
    for (let length = 0; length < source.length; length++) {
      expect(() => new ThriftWalker(source.subarray(0, length)).fields()).toThrow(RangeError);
    }
    // A list of 2 ** 28 elements that has none.
    expect(() => new ThriftWalker(Uint8Array.of(0xfc, 0x80, 0x80, 0x80, 0x80, 1)).elements()).toThrow(RangeError);
  });
});
