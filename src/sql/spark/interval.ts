import type { IntervalNode } from "./tree.js";

const DAY = 86_400_000_000n;

/** Units of time: months, or microseconds. */
export const UNITS: Readonly<Record<string, { readonly months?: bigint; readonly micros?: bigint }>> = {
  year: { months: 12n },
  month: { months: 1n },
  week: { micros: 7n * DAY },
  day: { micros: DAY },
  hour: { micros: 3_600_000_000n },
  minute: { micros: 60_000_000n },
  second: { micros: 1_000_000n },
  millisecond: { micros: 1000n },
  microsecond: { micros: 1n },
};

/** The interval of these parts; undefined where they are of both kinds, or aren't whole numbers (seconds may have a fraction). */
export function intervalOf(
  parts: readonly { readonly text: string; readonly unit: string }[],
): IntervalNode | undefined {
  let [months, micros] = [0n, 0n];
  for (const { text, unit } of parts) {
    const amount = amountOf(text.trim(), unit);
    if (amount === undefined) return undefined;
    if (UNITS[unit]!.months === undefined) micros += amount;
    else months += amount;
  }
  const isOfMonths = parts.every(({ unit }) => UNITS[unit]!.months !== undefined);
  if (isOfMonths) return { kind: "interval", months };
  if (parts.some(({ unit }) => UNITS[unit]!.months !== undefined)) return undefined;
  return { kind: "interval", micros, isDays: parts.every(({ unit }) => unit === "day" || unit === "week") };
}

function amountOf(text: string, unit: string): bigint | undefined {
  const { months, micros = 0n } = UNITS[unit]!;
  if (/^[+-]?\d+$/.test(text)) return BigInt(text) * (months ?? micros);
  const seconds = unit === "second" ? /^([+-]?)(\d+)\.(\d{1,6})$/.exec(text) : null;
  if (seconds === null) return undefined;
  const amount = BigInt(seconds[2]!) * micros + BigInt(seconds[3]!.padEnd(6, "0"));
  return seconds[1] === "-" ? -amount : amount;
}
