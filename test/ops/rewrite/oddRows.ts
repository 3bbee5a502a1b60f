import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The columns of {@link oddRows}. */
export const ODD_COLUMNS = {
  id: "long",
  part: "string",
  small: "byte",
  money: "decimal(20,2)",
  cents: "decimal(9,2)",
  real: "double",
  single: "float",
  text: "string",
  bytes: "binary",
  day: "date",
  at: "timestamp",
  local: "timestamp_ntz",
  flag: "boolean",
} as const;

/** Rows with nulls and odd values, each with so many bytes that don't compress: DuckDB is to be worth its start. */
export function oddRows(
  { first, count, noiseBytes }: { readonly first: number; readonly count: number; readonly noiseBytes: number },
  part: string | null,
): Record<keyof typeof ODD_COLUMNS, unknown>[] {
  let seed = first + 1;
  const noise = () => {
    const bytes = new Uint8Array(noiseBytes);
    for (let i = 0; i < bytes.length; i++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      bytes[i] = seed >> 16;
    }
    return bytes;
  };
  return Array.from({ length: count }, (_, i) => ({
    id: BigInt(first + i),
    part,
    small: i % 7 === 0 ? null : (i % 200) - 100,
    money: i % 11 === 0 ? null : `${i * 1_000_003 - 77}.25`,
    cents: `${-i}.10`,
    real: i % 97 === 0 ? Number.NaN : i % 3 === 0 ? -0 : i / 8,
    single: [0, -0, -0.5][i % 3],
    text: i % 5 === 0 ? null : `${"ü".repeat(i % 60)}${i}`,
    bytes: noise(),
    day: i % 3 === 0 ? "0001-01-01" : "2024-02-29",
    at: i % 2 === 0 ? new Date(i * 1000) : "0001-01-01T00:00:00.000001Z",
    local: "1500-01-01T00:00:00.123456",
    flag: i % 4 === 0 ? null : i % 3 === 0,
  }));
}

export async function withTempFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "delta-rewrite-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
