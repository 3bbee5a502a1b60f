import { civilFromDays, daysFromCivil, daysInMonth, instantOf } from "../../../schema/time.js";
import { type Piece, piecesOf } from "./timePattern.js";

const DAY = 86_400_000_000n;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");

interface Clock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly days: number;
  /** Within the day. */
  readonly seconds: number;
  readonly micros: number;
}

function clockOf(micros: bigint): Clock {
  const days = Number((micros - (((micros % DAY) + DAY) % DAY)) / DAY);
  const rest = Number(micros - BigInt(days) * DAY);
  return { ...civilFromDays(days), days, seconds: Math.floor(rest / 1e6), micros: rest % 1e6 };
}

/** A time in UTC as its text. */
export function timeText(micros: bigint, pattern: string): string {
  const clock = clockOf(micros);
  return compiled(pattern, false)
    .pieces.map((piece) => written(piece, clock))
    .join("");
}

function written({ letter, count, text }: Piece, clock: Clock): string {
  const hour = Math.floor(clock.seconds / 3600);
  const digits = (value: number) => String(value).padStart(count, "0");
  switch (letter) {
    case "y":
      return yearText(clock.year, count);
    case "M":
    case "L":
      return count < 3 ? digits(clock.month) : named(MONTHS[clock.month - 1]!, count);
    case "d":
      return digits(clock.day);
    case "D":
      return digits(clock.days - daysFromCivil(clock.year, 1, 1) + 1);
    case "Q":
    case "q":
      return quarterText(Math.ceil(clock.month / 3), count);
    case "E":
      return named(DAYS[(((clock.days + 3) % 7) + 7) % 7]!, Math.max(count, 3));
    case "a":
      return hour < 12 ? "AM" : "PM";
    case "h":
      return digits(hour % 12 || 12);
    case "K":
      return digits(hour % 12);
    case "k":
      return digits(hour || 24);
    case "H":
      return digits(hour);
    case "m":
      return digits(Math.floor(clock.seconds / 60) % 60);
    case "s":
      return digits(clock.seconds % 60);
    case "S":
      return `${String(clock.micros).padStart(6, "0")}000`.slice(0, count);
    case "X":
      return "Z";
    case "x":
      return ["+00", "+0000", "+00:00"][count - 1]!;
    case "Z":
      return "+0000";
    case "V":
      return "UTC";
    default:
      return text;
  }
}

function yearText(year: number, count: number): string {
  if (count === 2) return String(((year % 100) + 100) % 100).padStart(2, "0");
  const size = String(Math.abs(year)).padStart(count, "0");
  if (year < 0) return `-${size}`;
  return count > 3 && String(year).length > count ? `+${size}` : size;
}

function quarterText(quarter: number, count: number): string {
  if (count < 3) return String(quarter).padStart(count, "0");
  return count === 3 ? `Q${quarter}` : `${["1st", "2nd", "3rd", "4th"][quarter - 1]} quarter`;
}

function named(name: string, count: number): string {
  return count === 3 ? name.slice(0, 3) : name;
}

/** The time that a text names, in UTC where it names no zone; undefined where it isn't of the pattern. */
export function timeOf(text: string, pattern: string): bigint | undefined {
  const { pieces, regex } = compiled(pattern, true);
  const found = regex.exec(text);
  if (found === null) return undefined;
  const fields: Record<string, string> = {};
  const letters = pieces.filter(({ letter }) => letter !== "'");
  for (const [index, { letter, count }] of letters.entries()) {
    const value = found[index + 1]!;
    const key = letter === "y" && count === 2 ? "yy" : letter;
    if (fields[key] !== undefined && fields[key] !== value) return undefined;
    fields[key] = value;
  }
  return instantIn(fields);
}

function instantIn(fields: Readonly<Record<string, string>>): bigint | undefined {
  const number = (letter: string, least: number, most: number, otherwise: number) => {
    const value = fields[letter] === undefined ? otherwise : Number(fields[letter]);
    return value >= least && value <= most ? value : Number.NaN;
  };
  const year = fields.yy === undefined ? number("y", 0, 9999, 1970) : 2000 + Number(fields.yy);
  const month = /^\D/.test(fields.M ?? "")
    ? MONTHS.findIndex((name) => name.toLowerCase().startsWith(fields.M!.toLowerCase())) + 1
    : number("M", 1, 12, 1);
  const day = number("d", 1, daysInMonth(year, month), 1);
  const hour = hourOf(fields, number);
  const seconds = hour * 3600 + number("m", 0, 59, 0) * 60 + number("s", 0, 59, 0);
  if (Number.isNaN(year + month + day + seconds)) return undefined;
  const micros = BigInt((fields.S ?? "").slice(0, 6).padEnd(6, "0"));
  const wall = BigInt(daysFromCivil(year, month, day)) * DAY + BigInt(seconds) * 1_000_000n + micros;
  const zone = fields.X ?? fields.V;
  return zone === undefined || /^z$/i.test(zone) ? wall : instantOf(wall, withColon(zone));
}

function withColon(zone: string): string {
  return zone.replace(/^([+-]\d{2})(\d{2})$/, "$1:$2");
}

function hourOf(
  fields: Readonly<Record<string, string>>,
  number: (letter: string, least: number, most: number, otherwise: number) => number,
): number {
  const half = fields.a === undefined ? 0 : /^p/i.test(fields.a) ? 12 : 0;
  if (fields.h !== undefined) return (number("h", 1, 12, 0) % 12) + half;
  if (fields.K !== undefined) return number("K", 0, 11, 0) + half;
  if (fields.k !== undefined) return number("k", 1, 24, 0) % 24;
  return number("H", 0, 23, half);
}

interface Compiled {
  readonly pattern: string;
  readonly isRead: boolean;
  readonly pieces: readonly Piece[];
  readonly regex: RegExp;
}

// A column has one pattern for all of its rows.
let last: Compiled | undefined;

function compiled(pattern: string, isRead: boolean): Compiled {
  if (last?.pattern === pattern && last.isRead === isRead) return last;
  const pieces = piecesOf(pattern, isRead) ?? [];
  last = { pattern, isRead, pieces, regex: new RegExp(`^${pieces.map(regexOf).join("")}$`, "iu") };
  return last;
}

function regexOf({ letter, count, text }: Piece): string {
  if (letter === "'") return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  if (letter === "S") return `(\\d{1,${count}})`;
  if (letter === "a") return "([AP]M)";
  if (letter === "M" && count > 2) return `(${MONTHS.map((name) => named(name, count)).join("|")})`;
  if (letter === "X")
    return count === 1 ? "(Z|[+-]\\d{2}(?:\\d{2})?)" : count === 2 ? "(Z|[+-]\\d{4})" : "(Z|[+-]\\d{2}:\\d{2})";
  if (letter === "V") return "(Z|[+-]\\d{2}:\\d{2}|[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+)*)";
  return count === 1 ? "(\\d{1,9})" : `(\\d{${count}})`;
}
