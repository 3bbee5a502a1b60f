import type { DataType } from "../../schema/types.js";
import { castTo, duckdbType, literalOf } from "./cast.js";
import { digitsOf, isDecimal, isFractional, isInteger } from "./coercion.js";
import type { FunctionRow } from "./functions.js";
import { arithmetic } from "./operators.js";
import { OWN_PREFIX } from "./own/own.js";
import { own } from "./ownCall.js";
import { typed, typeText, unsupported } from "./typed.js";

/** A function of doubles. */
function ofDoubles(name: string, count = 1): FunctionRow {
  return {
    least: count,
    make: (args) =>
      own(
        name,
        "double",
        args.map((arg) => castTo(arg, "double", false)),
      ),
  };
}

const ln = ofDoubles("ln");
const power = ofDoubles("power", 2);
const [logOne, logTwo] = [ofDoubles("ln"), ofDoubles("log", 2)];
const constant = (sql: string): FunctionRow => ({
  least: 0,
  make: () => typed(`CAST(${sql} AS DOUBLE)`, "double", []),
});
const times = (factor: string): FunctionRow => ({
  least: 1,
  make([value]) {
    const x = castTo(value!, "double", false);
    return typed(`(${x.sql} * CAST(${factor} AS DOUBLE))`, "double", [x]);
  },
});

/** `round` and, with halves to the even neighbour, `bround`. */
function rounding(name: "round" | "bround"): FunctionRow {
  return {
    least: 1,
    most: 2,
    make([given, digits]) {
      const value = given!.type === "string" ? castTo(given!, "double", false) : given;
      const { type, sql } = value!;
      const scale = digits === undefined ? 0 : Number(digits.literal ?? Number.NaN);
      if (!Number.isInteger(scale)) throw unsupported(`${name} to a number of digits that isn't a literal`);
      if (isFractional(type)) {
        const rounded = own(name, "double", [castTo(value!, "double", false), literalOf("integer", String(scale))]);
        return type === "float" ? castTo(rounded, "float", false) : rounded;
      }
      if (!isInteger(type) && !isDecimal(type)) throw unsupported(`${name} of a value of type ${typeText(type)}`);
      if (isInteger(type) && scale >= 0) return value!;
      const text = `${OWN_PREFIX}${name}_text(CAST(${sql} AS VARCHAR), ${scale})`;
      if (isInteger(type)) return typed(`CAST(${text} AS ${duckdbType(type)})`, type, [value!], true);
      const own38 = digitsOf(type)!;
      const kept = Math.min(Math.max(scale, 0), own38.scale);
      const whole = Math.max(own38.precision - own38.scale + 1, 1 - scale);
      const result: DataType = `decimal(${Math.min(38, whole + kept)},${kept})`;
      const isPlain = name === "round" && scale >= 0;
      return typed(`CAST(${isPlain ? sql : text} AS ${result})`, result, [value!], true);
    },
  };
}

function remainder(name: "mod" | "pmod"): FunctionRow {
  return {
    least: 2,
    make([left, right]) {
      const rest = arithmetic("%", [left!, right!]);
      if (name === "mod") return rest;
      const sum = arithmetic("+", [rest, isDecimal(rest.type) ? right! : castTo(right!, rest.type, false)]);
      const again = castTo(arithmetic("%", [sum, right!]), rest.type, false);
      return typed(
        `(CASE WHEN ${rest.sql} < 0 THEN ${again.sql} ELSE ${rest.sql} END)`,
        rest.type,
        [rest, again],
        true,
      );
    },
  };
}

/** Functions of numbers that aren't beside the operators. */
export const NUMBER_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...Object.fromEntries(
    ["exp", "expm1", "log10", "log2", "log1p", "cbrt", "rint", "asin", "acos"].map((name) => [name, ofDoubles(name)]),
  ),
  ...Object.fromEntries(
    ["atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"].map((name) => [name, ofDoubles(name)]),
  ),
  ...{ round: rounding("round"), bround: rounding("bround"), mod: remainder("mod"), pmod: remainder("pmod") },
  negative: { least: 1, make: ([value]) => arithmetic("minus", [value!]) },
  positive: { least: 1, make: ([value]) => value! },
  ...{ ln, pow: power, power, hypot: ofDoubles("hypot", 2), atan2: ofDoubles("atan2", 2) },
  log: { least: 1, most: 2, make: (args, context) => (args.length === 1 ? logOne : logTwo).make(args, context) },
  ...{ pi: constant("'3.141592653589793'"), e: constant("'2.718281828459045'") },
  ...{ degrees: times("'57.29577951308232'"), radians: times("'0.017453292519943295'") },
};
