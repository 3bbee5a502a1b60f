import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { csvFormat } from "#src/load/format/csv/csvFormat.js";
import fc from "../../fastCheck.js";
import { type CollectOptions, collect, schemaOf } from "./collect.js";
import { type ReferenceDialect, referenceRecords } from "./referenceCsv.js";
import { sourceFile, temporaryFolder } from "./sourceFile.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
let files = 0;

const DIALECT = fc.record({
  delimiter: fc.constantFrom(",", "\t", "|", ";", "||"),
  quote: fc.constantFrom('"', "'"),
  hasBackslash: fc.boolean(),
});

async function loaded(
  text: string,
  dialect: ReferenceDialect,
  columns: readonly string[],
  options: Partial<CollectOptions>,
) {
  const file = sourceFile(join(folder.path, `${files++}.csv`), text, "csv");
  const schema = schemaOf(Object.fromEntries(columns.map((name) => [name, "string"])));
  const shape = { dialect: { ...dialect, header: false, nullValues: [""] }, schema };
  const { rows, bad } = await collect(csvFormat, file, { shape, schema, ...options });
  return {
    rows: rows.map((row) => columns.map((name) => row[name])),
    bad: bad.map(({ code, record, line, byteOffset, raw }) => ({
      code,
      record,
      line,
      byteOffset,
      raw: Buffer.from(raw).toString(),
    })),
  };
}

/** What a load must make of a text. */
function expected(text: string, dialect: ReferenceDialect, columnCount: number) {
  const records = referenceRecords(text, dialect, columnCount);
  const isTaken = (values: readonly (string | null)[] | undefined) =>
    values !== undefined &&
    values.length >= columnCount &&
    // Delimiters at the end of a line are passed over.
    values.slice(columnCount).every((value) => value === null);
  return {
    rows: records.filter(({ values }) => isTaken(values)).map(({ values }) => values!.slice(0, columnCount)),
    bad: records.flatMap(({ values, raw, line, start }, record) => {
      if (isTaken(values)) return [];
      return [{ code: "PARSE", record, line, byteOffset: Buffer.byteLength(text.slice(0, start)), raw }];
    }),
  };
}

function written(values: readonly (readonly (string | null)[])[], dialect: ReferenceDialect, lineEnd: string): string {
  const { delimiter, quote, escape: escaping } = dialect;
  const special = [delimiter[0]!, quote, escaping, "\n", "\r", " "];
  const field = (value: string | null) => {
    if (value === null) return "";
    if (value !== "" && !special.some((each) => value.includes(each))) return value;
    return (
      quote + [...value].map((each) => (each === quote || each === escaping ? escaping + each : each)).join("") + quote
    );
  };
  return values.map((row) => row.map(field).join(delimiter) + lineEnd).join("");
}

describe("CSV records", () => {
  it("come back as they were written, in any dialect, cut anywhere, opened anew or not", async () => {
    const value = fc.option(
      fc.string({
        unit: fc.constantFrom("a", "é", ",", '"', "'", "\\", "\n", "\r", "|", "\t", ";", " ", "0"),
        maxLength: 8,
      }),
      { nil: null, freq: 5 },
    );
    const rows = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        DIALECT,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.integer({ min: 1, max: 300 }),
        fc.boolean(),
        async (values, { hasBackslash, ...marks }, lineEnd, sliceBytes, reopens) => {
          const dialect = { ...marks, escape: hasBackslash ? "\\" : marks.quote };
          const text = written(values, dialect, lineEnd);
          const found = await loaded(text, dialect, ["a", "b", "c"], { sliceBytes, reopens });
          expect(found).toEqual({ rows: values, bad: [] });
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are each a row or a bad record, whatever the text is", async () => {
    const unit = fc.constantFrom("a", "é", ",", ",", '"', '"', "\n", "\n", "\r\n", "\r", "1");
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit, minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 80 }),
        async (text, columnCount, sliceBytes) => {
          const dialect = { delimiter: ",", quote: '"', escape: '"' };
          const columns = ["a", "b", "c"].slice(0, columnCount);
          expect(await loaded(text, dialect, columns, { sliceBytes })).toEqual(expected(text, dialect, columnCount));
        },
      ),
      { numRuns: 200 },
    );
  });
});
