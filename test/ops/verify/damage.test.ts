import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { FindingCode } from "#src/index.js";
import { FINDING_CODES } from "#src/verify/findingCodes.js";
import { type Damage, type Damages, soundTable, verify } from "./build.js";
import { CHECKPOINT_DAMAGE } from "./checkpointDamage.js";
import { COMPACTION_DAMAGE } from "./compactionDamage.js";
import { FILE_DAMAGE } from "./fileDamage.js";
import { LOG_DAMAGE } from "./logDamage.js";

/** Each finding there is has a damage that brings it. */
const DAMAGE = { ...LOG_DAMAGE, ...CHECKPOINT_DAMAGE, ...COMPACTION_DAMAGE, ...FILE_DAMAGE } satisfies Record<
  FindingCode,
  Damages[FindingCode]
>;

const cases = Object.entries(DAMAGE).flatMap(([code, damage]) => {
  const damages: readonly Damage[] = Array.isArray(damage) ? damage : [damage];
  return damages.map(
    (each, i) => [damages.length > 1 ? `${code}, ${i + 1}` : code, code as FindingCode, each] as const,
  );
});

describe("a damaged table", () => {
  test.each(cases)(
    "[R-CRC-2] %s is found, and nothing else",
    async (_, code, { table, harm, finds, also = [], options }) => {
      const store = await soundTable(table);
      await harm(store);
      const report = await verify(store, options);
      expect(report.findings.filter((finding) => finding.code === code)).toContainEqual(
        expect.objectContaining({ ...finds, code, severity: FINDING_CODES[code].severity }),
      );
      expect(Object.keys(report.counts).sort()).toEqual([code, ...also].sort());
      const isBroken = [code, ...also].some((found) => FINDING_CODES[found].severity === "error");
      expect(report.ok).toBe(!isBroken);
    },
  );
});

test("spec/verify.md has a row for each finding, with its severity and what to do", async () => {
  const rows = (await readFile("spec/verify.md", "utf8")).split("\n").filter((line) => line.startsWith("| `"));
  const told = rows.map((row) => row.split(" | ")).filter(({ length }) => length === 4);
  const expected = Object.entries(FINDING_CODES).map(([code, { severity, advice }]) => [
    `| \`${code}\``,
    severity,
    expect.any(String),
    `${advice} |`,
  ]);
  expect(told.sort()).toEqual(expected.sort());
});
