import type { DataType } from "../../schema/types.js";
import { castTo, coerce } from "./cast.js";
import { type Typed, unsupported } from "./typed.js";

/** Where a text belongs, Spark takes numbers, dates and the like as well. */
export function textual(value: Typed, type: DataType): Typed {
  if (type === "string" && value.type !== "binary") return castTo(value, "string", false);
  return coerce(value, type);
}

export function literalText(value: Typed | undefined, what: string): string {
  if (value?.type !== "string" || value.literal === undefined) throw unsupported(`${what} that isn't a text in quotes`);
  return value.literal;
}

/** What Java's expressions have and RE2's don't, or mean something else there. */
const JAVA_ONLY = /\(\?(?:[=!>]|<[=!])|\\[1-9GZhHRvVXkbB]|\\p\{(?:java|Is|In)|[*+?}]\+|&&/;

/** A regular expression that means the same to Java and DuckDB; `isPart` where it may not match nothing at all, `bounds` where \b may be in it. */
export function literalRegex(
  value: Typed | undefined,
  { isPart = false, bounds = false }: { readonly isPart?: boolean; readonly bounds?: boolean } = {},
): string {
  const regex = literalText(value, "a pattern");
  const looked = bounds ? regex.replace(/(?<!\\)((?:\\\\)*)\\b/g, "$1") : regex;
  if (JAVA_ONLY.test(looked) || (isPart && mayBeEmpty(regex)))
    throw unsupported(`the pattern ${JSON.stringify(regex)}`);
  return regex;
}

function mayBeEmpty(regex: string): boolean {
  try {
    // Counts don't matter to it, but could take long.
    const once = regex.replace(/(?<!\\)\{(\d+)(?:,\d*)?\}/g, (_, least: string) => (Number(least) === 0 ? "*" : ""));
    return new RegExp(once.replace(/\(\?[a-z]+\)/g, "")).test("");
  } catch {
    return true;
  }
}
