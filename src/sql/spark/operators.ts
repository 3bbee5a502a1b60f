import type { DataType } from "../../schema/types.js";
import { castTo, coerce, duckdbType } from "./cast.js";
import {
  commonType,
  decimalResult,
  digitsOf,
  hasExactCommon,
  isDecimal,
  isFractional,
  isInteger,
  isNumeric,
  isTime,
  quotientType,
} from "./coercion.js";
import { durationArithmetic } from "./durations.js";
import { OWN_PREFIX } from "./own/own.js";
import { decimalOf } from "./parser.js";
import type { BinaryOperator, IntervalNode } from "./tree.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

/** What an operator on numbers, or on times and intervals, gives. */
export function arithmetic(op: BinaryOperator | "minus" | "complement", given: readonly Typed[]): Typed {
  const durations = durationArithmetic(op, given);
  if (durations !== undefined) return durations;
  if (given.some(({ duration }) => duration !== undefined)) throw unsupported(`${op} of an interval`);
  const interval = given.find((operand) => operand.interval !== undefined)?.interval;
  if (interval !== undefined) return timeArithmetic(op, given, interval);
  const operands =
    "&|^~".includes(op) || op === "complement" ? given : given.map((one, i) => ofText(op, one, given[1 - i]));
  const [left, right] = operands as readonly [Typed, Typed];
  if (right !== undefined && left.type === "date" && (op === "+" || op === "-")) return addDays(left, right, op);
  for (const operand of operands) {
    if (!isNumeric(operand.type) && operand.type !== "void") {
      throw unsupported(`${op} of a value of type ${typeText(operand.type)}`);
    }
  }
  if (op === "minus") return typed(`(- ${left.sql})`, left.type, [left], true);
  if (op === "complement") {
    if (!isInteger(left.type)) throw invalid(`~ of a value of type ${typeText(left.type)}`);
    return typed(`(~ ${left.sql})`, left.type, [left]);
  }
  switch (op) {
    case "+":
    case "-":
    case "*":
    case "%":
      return number(op, left, right);
    case "/":
      return division(left, right);
    case "div":
      return wholeDivision(left, right);
    case "&":
    case "|":
    case "^":
      return bits(op, left, right);
  }
  throw unsupported(`the operator ${op}`);
}

/** A text as the number that it is beside another value. */
function ofText(op: string, value: Typed, other: Typed | undefined): Typed {
  if (value.type !== "string") return value;
  return castTo(value, op !== "/" && other !== undefined && isInteger(other.type) ? "long" : "double", false);
}

/** A literal beside a decimal counts with the digits that it has. */
function besideDecimal(value: Typed): Typed {
  const least = isInteger(value.type) && value.literal !== undefined ? decimalOf(value.literal) : undefined;
  return least === undefined ? value : castTo(value, least, false);
}

function operandsOf(left: Typed, right: Typed): readonly [Typed, Typed] {
  if (isDecimal(left.type) && isInteger(right.type)) return [left, besideDecimal(right)];
  if (isDecimal(right.type) && isInteger(left.type)) return [besideDecimal(left), right];
  return [left, right];
}

function number(op: "+" | "-" | "*" | "%", left: Typed, right: Typed): Typed {
  const [a, b] = operandsOf(left, right);
  const common = commonType(a.type, b.type)!;
  if (isDecimal(common) && !hasExactCommon(a.type, b.type)) {
    return inOwnDigits(op, a, b, decimalResult(op, a.type, b.type));
  }
  if (!isDecimal(common)) {
    const [x, y] = [coerce(a, common), coerce(b, common)];
    if (op !== "%") return typed(`(${x.sql} ${op} ${y.sql})`, common, [x, y], true);
    if (isFractional(common)) return typed(unlessZero(y, `${x.sql} % ${y.sql}`), common, [x, y], true);
    return typed(unlessZero(y, `${x.sql} % ${y.sql}`), common, [x, y], true);
  }
  const type = decimalResult(op, a.type, b.type);
  const { scale } = digitsOf(type)!;
  const isExact = op === "*" ? scale === digitsOf(a.type)!.scale + digitsOf(b.type)!.scale : !isFull(type);
  if (!isExact) return inOwnDigits(op, a, b, type);
  if (op === "*") {
    const [x, y] = [asDecimal(a), asDecimal(b)];
    if (digitsOf(x.type)!.precision + digitsOf(y.type)!.precision > 38) return inOwnDigits(op, a, b, type);
    return typed(`CAST((${roomy(x, y).sql} * ${y.sql}) AS ${type})`, type, [a, b], true);
  }
  // Wide enough for the result: DuckDB doesn't go from 64 to 128 bits by itself.
  const wide = op === "%" ? common : type;
  const [x, y] = [castTo(coerce(a, common), wide, false), castTo(coerce(b, common), wide, false)];
  const sql = op === "%" ? unlessZero(y, `${x.sql} % ${y.sql}`) : `(${x.sql} ${op} ${y.sql})`;
  return typed(`CAST(${sql} AS ${duckdbType(type)})`, type, [x, y], true);
}

function asDecimal(value: Typed): Typed {
  const digits: Readonly<Record<string, DataType>> = {
    byte: "decimal(3,0)",
    short: "decimal(5,0)",
    integer: "decimal(10,0)",
    long: "decimal(20,0)",
  };
  const type = typeof value.type === "string" ? digits[value.type] : undefined;
  return type === undefined ? value : castTo(value, type, false);
}

/** The first factor with as many digits as let the product be one of 128 bits, where it may be one. */
function roomy(value: Typed, other: Typed): Typed {
  const [own, others] = [digitsOf(value.type)!, digitsOf(other.type)!];
  if (own.precision + others.precision <= 18) return value;
  return castTo(value, `decimal(${38 - others.precision},${own.scale})`, false);
}

/** Where a result may have 38 digits, what DuckDB does on the way to it may overflow. */
function isFull(type: DataType): boolean {
  return digitsOf(type)!.precision === 38;
}

/** With as many digits as there are, rounded to the type's. */
function inOwnDigits(op: string, left: Typed, right: Typed, type: DataType): Typed {
  const [a, b] = [left, right].map(asDecimal) as [Typed, Typed];
  const [x, y] = [a, b].map(({ sql }) => `CAST(${sql} AS VARCHAR)`);
  const sql = `${OWN_PREFIX}decimals(${x}, '${op}', ${y}, ${digitsOf(type)!.scale})`;
  const result = `CAST(${sql} AS ${type as string})`;
  return typed(op === "+" || op === "-" || op === "*" ? result : unlessZero(b, result), type, [a, b], true);
}

function division(left: Typed, right: Typed): Typed {
  if (isDecimal(left.type) || isDecimal(right.type)) {
    if (!isFractional(left.type) && !isFractional(right.type)) return decimalDivision(left, right);
  }
  const [x, y] = [castTo(left, "double", false), castTo(right, "double", false)];
  return typed(unlessZero(y, `${x.sql} / ${y.sql}`), "double", [x, y], true);
}

/** In whole numbers of 128 bits, rounded half up: DuckDB divides decimals as doubles. */
function decimalDivision(left: Typed, right: Typed): Typed {
  const [a, b] = operandsOf(left, right).map(asDecimal) as [Typed, Typed];
  const type = quotientType(a.type, b.type);
  if (isFull(type)) return inOwnDigits("/", a, b, type);
  const { scale } = digitsOf(type)!;
  const shift = scale - digitsOf(a.type)!.scale + digitsOf(b.type)!.scale;
  const unscaled = (value: Typed) => `abs(CAST(replace(CAST(${value.sql} AS VARCHAR), '.', '') AS HUGEINT))`;
  const [dividend, divisor] = [`(${unscaled(a)} * CAST('1${"0".repeat(shift)}' AS HUGEINT))`, unscaled(b)];
  const text = `CAST((${dividend} + ${divisor} // 2) // ${divisor} AS VARCHAR)`;
  const padded = `(repeat('0', greatest(${scale + 1} - length(${text}), 0)) || ${text})`;
  const sign = `CASE WHEN (${a.sql} < 0) <> (${b.sql} < 0) THEN '-' ELSE '' END`;
  const point = `left(${padded}, length(${padded}) - ${scale}) || '.' || right(${padded}, ${scale})`;
  return typed(unlessZero(b, `CAST(${sign} || ${point} AS ${duckdbType(type)})`), type, [a, b], true);
}

function wholeDivision(left: Typed, right: Typed): Typed {
  if (isDecimal(left.type) || isDecimal(right.type)) {
    const [a, b] = operandsOf(left, right);
    if (!isFractional(a.type) && !isFractional(b.type)) {
      const whole = inOwnDigits("div", a, b, "decimal(38,0)");
      return typed(`CAST(${whole.sql} AS BIGINT)`, "long", [whole]);
    }
  }
  if (!isInteger(left.type) || !isInteger(right.type)) throw unsupported("DIV of floats and doubles");
  const [x, y] = [castTo(left, "long", false), castTo(right, "long", false)];
  return typed(unlessZero(y, `${x.sql} // ${y.sql}`), "long", [x, y], true);
}

function bits(op: "&" | "|" | "^", left: Typed, right: Typed): Typed {
  const common = commonType(left.type, right.type);
  if (common === undefined || !isInteger(common)) throw invalid(`${op} of values that aren't integers`);
  const [x, y] = [coerce(left, common), coerce(right, common)];
  return typed(op === "^" ? `xor(${x.sql}, ${y.sql})` : `(${x.sql} ${op} ${y.sql})`, common, [x, y]);
}

/** Spark ends in an error where DuckDB would give null or infinity. */
function unlessZero(divisor: Typed, sql: string): string {
  if (divisor.literal !== undefined && Number(divisor.literal) !== 0) return `(${sql})`;
  return `(CASE WHEN ${divisor.sql} = 0 THEN error('division by zero') ELSE ${sql} END)`;
}

/** `date + 3` and `date - 3`. */
function addDays(date: Typed, days: Typed, op: "+" | "-"): Typed {
  if (!isInteger(days.type) || days.type === "long") throw unsupported(`${op} of a date and a ${typeText(days.type)}`);
  return typed(`(${date.sql} ${op} CAST(${days.sql} AS INTEGER))`, "date", [date, days], true);
}

function timeArithmetic(op: string, operands: readonly Typed[], interval: IntervalNode): Typed {
  const [left, right] = operands;
  const time = op === "+" && left!.interval !== undefined ? right : left;
  const isRight = right !== undefined && (op === "+" || (op === "-" && right.interval !== undefined));
  if (!isRight || time === undefined || time.interval !== undefined || !isTime(time.type)) {
    throw unsupported("an interval other than added to a date or timestamp, or taken from it");
  }
  const { months, micros = 0n, isDays = false } = interval;
  const part = months === undefined ? `to_microseconds(${micros}::BIGINT)` : `to_months(${months}::INTEGER)`;
  const isDate = time.type === "date" && (months !== undefined || isDays);
  const from = isDate ? time : coerce(time, time.type === "date" ? "timestamp" : time.type);
  const sql = isDate && isDays ? `${from.sql} ${op} ${micros / 86_400_000_000n}::INTEGER` : `${from.sql} ${op} ${part}`;
  return typed(isDate ? `CAST(${sql} AS DATE)` : `(${sql})`, isDate ? "date" : from.type, [time], true);
}
