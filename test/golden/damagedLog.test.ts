import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DeltaError } from "#src/errors.js";
import { replaceRuntime } from "#src/runtime.js";
import { localStore } from "#src/storage/local.js";
import { contentOf, damagesOf, logOf, outcomeOf, unseenDamage } from "../log/damage.js";

const GOLDEN = fileURLToPath(new URL("../../../shared/golden/", import.meta.url));
const isThere = existsSync(GOLDEN);
const names = isThere ? readdirSync(GOLDEN).filter((name) => existsSync(`${GOLDEN}${name}/delta/_delta_log`)) : [];

/** What a damaged log may come to, where no other way leads to the table. */
const CODES = new Set([
  "DELTA_LOG_CORRUPT",
  "DELTA_PARQUET_UNREADABLE",
  "DELTA_STATE_RECOVER_ERROR",
  "DELTA_VERSIONS_NOT_CONTIGUOUS",
]);

describe.skipIf(!isThere)(isThere ? "golden tables" : "golden tables: skipped, ../shared/golden isn't there", () => {
  let restore: () => void;
  beforeAll(() => {
    restore = replaceRuntime({ warn: () => undefined });
  });
  afterAll(() => restore());

  test.each(names)("%s: a damaged file of the log gives the same table, or an error", async (name) => {
    const log = await logOf(localStore(`${GOLDEN}${name}/delta`));
    let expected: string;
    try {
      expected = await contentOf(log);
    } catch (error) {
      // Refused as it is.
      if (error instanceof DeltaError) return;
      throw error;
    }
    const wrong: string[] = [];
    for (const [path, bytes] of log) {
      const isUnseen = await unseenDamage(path, bytes);
      for (const damage of damagesOf(path, bytes, path.endsWith(".parquet") ? 40 : 4)) {
        const outcome = await outcomeOf(log, path, damage, expected);
        if (outcome === "same" || isUnseen(damage)) continue;
        if (outcome === "other") wrong.push(`${path}, ${damage.title}: another table`);
        else if (!CODES.has(outcome.code)) wrong.push(`${path}, ${damage.title}: ${outcome.code}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
