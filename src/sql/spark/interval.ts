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

const CLOCK = ["day", "hour", "minute", "second"];

/** The interval of `'1 2:03:04.5' DAY TO SECOND` or `'1-2' YEAR TO MONTH`; undefined where it isn't written so. */
export function intervalBetween(text: string, from: string, to: string): IntervalNode | undefined {
  if (from === "year" && to === "month") {
    const found = /^([+-]?)(\d+)-(\d{1,2})$/.exec(text);
    if (found === null || Number(found[3]) > 11) return undefined;
    const months = BigInt(found[2]!) * 12n + BigInt(found[3]!);
    return { kind: "interval", months: found[1] === "-" ? -months : months };
  }
  const units = CLOCK.slice(CLOCK.indexOf(from), CLOCK.indexOf(to) + 1);
  const [, sign, rest] = /^([+-]?)(.*)$/s.exec(text)!;
  const parts = rest!.split(/[ :]/);
  const isForm = /^\d+(?: \d+)?(?::\d+)*(?:\.\d{1,9})?$/.test(rest!) && rest!.includes(" ") === (from === "day");
  if (units.length < 2 || parts.length !== units.length || !isForm) return undefined;
  const amounts = units.map((unit, index) => amountOf(parts[index]!, unit));
  if (amounts.includes(undefined)) return undefined;
  const micros = amounts.reduce<bigint>((sum, amount) => sum + amount!, 0n);
  return { kind: "interval", micros: sign === "-" ? -micros : micros };
}
