import { describe, expect, it } from "vitest";
import type { Action, AddFile, DomainMetadata, Metadata, Protocol } from "#src/log/actions.js";
import { assignRowIds } from "#src/write/rowIds.js";
import { expectCode } from "../expectCode.js";

const PROTOCOL: Protocol = {
  minReaderVersion: 1,
  minWriterVersion: 7,
  writerFeatures: ["rowTracking", "domainMetadata"],
};
const metadataOf = (configuration: Record<string, string> = {}): Metadata => ({
  id: "a",
  format: { provider: "parquet", options: {} },
  schemaString: "{}",
  partitionColumns: [],
  configuration,
});
const mark = (value: unknown): DomainMetadata => ({
  domain: "delta.rowTracking",
  configuration: JSON.stringify({ rowIdHighWaterMark: value }),
  removed: false,
});
const base = (domain?: DomainMetadata, protocol = PROTOCOL, metadata = metadataOf()) => ({
  protocol,
  metadata,
  domainMetadata: new Map(domain === undefined ? [] : [[domain.domain, domain]]),
});
const add = (path: string, numRecords: number | undefined, more: Partial<AddFile> = {}): Action => ({
  add: {
    path,
    partitionValues: {},
    size: 1,
    modificationTime: 1,
    dataChange: true,
    ...(numRecords === undefined ? {} : { stats: JSON.stringify({ numRecords }) }),
    ...more,
  },
});
const idsOf = (actions: readonly Action[]) =>
  actions.flatMap((action) => ("add" in action ? [[action.add.baseRowId, action.add.defaultRowCommitVersion]] : []));
const marks = (actions: readonly Action[]) =>
  actions.flatMap((action) => ("domainMetadata" in action ? [action.domainMetadata] : []));

describe("row ids", () => {
  it("go on above all that were given before, file by file", () => {
    const actions = assignRowIds([add("a", 3), add("b", 0), add("c", 2)], base(mark(9)), 5);
    expect(idsOf(actions)).toEqual([
      [10, 5],
      [13, 5],
      [13, 5],
    ]);
    expect(marks(actions)).toEqual([mark(14)]);
  });

  it("begin with 0, also in the commit that makes the table", () => {
    expect(idsOf(assignRowIds([add("a", 3)], base(), 1))).toEqual([[0, 1]]);
    const first = [{ protocol: PROTOCOL }, { metaData: metadataOf() }, add("a", 2), add("b", 1)];
    const actions = assignRowIds(first, undefined, 0);
    expect(idsOf(actions)).toEqual([
      [0, 0],
      [2, 0],
    ]);
    expect(marks(actions)).toEqual([mark(2)]);
  });

  it("stay with files that had them", () => {
    const kept = add("a", 3, { baseRowId: 4, defaultRowCommitVersion: 2 });
    const actions = assignRowIds([kept, add("b", 1)], base(mark(9)), 5);
    expect(idsOf(actions)).toEqual([
      [4, 2],
      [10, 5],
    ]);
    expect(idsOf(assignRowIds([kept], base(mark(9)), 5))).toEqual([[4, 2]]);
    expect(marks(assignRowIds([kept], base(mark(9)), 5))).toEqual([]);
  });

  it("aren't given where the table has no row tracking, or it is suspended", () => {
    const actions = [add("a", 3)];
    expect(assignRowIds(actions, base(undefined, { minReaderVersion: 1, minWriterVersion: 2 }), 1)).toBe(actions);
    const suspended = metadataOf({ "delta.rowTrackingSuspended": "true" });
    expect(assignRowIds(actions, base(undefined, PROTOCOL, suspended), 1)).toBe(actions);
  });

  it("need a count of the rows", async () => {
    await expectCode("DELTA_ROW_ID_ASSIGNMENT_WITHOUT_STATS", () => assignRowIds([add("a", undefined)], base(), 1));
  });

  it.each([mark("9"), { ...mark(1), configuration: "no JSON" }, { ...mark(1), configuration: "null" }])(
    "need to know the highest one: %j",
    async (domain) => {
      await expectCode("DELTA_LOG_CORRUPT", () => assignRowIds([add("a", 1)], base(domain), 1));
    },
  );

  it("end where numbers do", async () => {
    const last = base(mark(Number.MAX_SAFE_INTEGER - 1));
    expect(idsOf(assignRowIds([add("a", 1)], last, 1))).toEqual([[Number.MAX_SAFE_INTEGER, 1]]);
    await expectCode("DELTA_LIMIT_EXCEEDED", () => assignRowIds([add("a", 2)], last, 1));
  });
});
