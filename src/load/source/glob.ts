/** A segment of a pattern: a name, a rule for names, or any number of folders. */
type Segment = string | RegExp | typeof ANY_FOLDERS;

const ANY_FOLDERS = Symbol("**");

/** A pattern for other programs: of each alternative its names, rules (regular expressions) for names, and null for any number of folders. */
export interface GlobJson {
  readonly folder: string;
  readonly alternatives: readonly (readonly (string | { readonly rule: string } | null)[])[];
}

/** Too many alternatives are taken for none: `{` and `}` are then characters as any other. */
const MAX_ALTERNATIVES = 1000;

/** True where a path could be meant as a pattern. */
export function hasWildcards(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** A name that tools keep for themselves (`_SUCCESS`, `_delta_log`, `.DS_Store`). */
function isHiddenName(name: string): boolean {
  return name.startsWith("_") || (name.startsWith(".") && name !== "." && name !== "..");
}

/** True where a part of the path, below a folder that was named, is hidden. */
export function isHiddenPath(path: string): boolean {
  return path.split("/").some(isHiddenName);
}

/**
 * A pattern of paths: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `{a,b}`, and `**` for any number of folders; `\` takes the next
 * character as it is. A folder that fits stands for what is in it. Hidden names fit only where the pattern's begins as they do.
 */
export class Glob {
  readonly #alternatives: readonly (readonly Segment[])[];
  /** The folder that everything which fits is in: `""` or ending in `/`. */
  readonly folder: string;

  constructor(pattern: string) {
    const alternatives = alternativesOf(pattern).map((one) => one.split("/").filter((part) => part !== ""));
    this.#alternatives = alternatives.map((parts) => parts.map(segmentOf));
    this.folder = commonFolder(this.#alternatives);
  }

  toJSON(): GlobJson {
    const alternatives = this.#alternatives.map((segments) =>
      segments.map((one) => (one === ANY_FOLDERS ? null : typeof one === "string" ? one : { rule: one.source })),
    );
    return { folder: this.folder, alternatives };
  }

  /** True for a file that fits, or is in a folder that does. */
  fits(path: string): boolean {
    const names = path.split("/");
    return this.#alternatives.some((segments) => matches(segments, names, 0, 0, false));
  }

  /** True for a folder, its path ending in `/`, that may hold something that fits. */
  mayHold(folder: string): boolean {
    const names = folder.slice(0, -1).split("/");
    return this.#alternatives.some((segments) => matches(segments, names, 0, 0, true));
  }
}

/** Whether the names from `n` on are described by the segments from `s` on; with `isFolder` also whether names below them may be. */
function matches(
  segments: readonly Segment[],
  names: readonly string[],
  s: number,
  n: number,
  isFolder: boolean,
): boolean {
  const segment = segments[s];
  if (segment === undefined) return !names.slice(n).some(isHiddenName);
  const name = names[n];
  if (name === undefined) return isFolder;
  if (segment === ANY_FOLDERS) {
    return (
      matches(segments, names, s + 1, n, isFolder) ||
      (!isHiddenName(name) && matches(segments, names, s, n + 1, isFolder))
    );
  }
  const isSame = typeof segment === "string" ? segment === name : segment.test(name);
  return isSame && matches(segments, names, s + 1, n + 1, isFolder);
}

function commonFolder(alternatives: readonly (readonly Segment[])[]): string {
  const [first = []] = alternatives;
  let folder = "";
  for (const [index, segment] of first.entries()) {
    const isShared = alternatives.every((one) => one[index] === segment && index < one.length - 1);
    if (typeof segment !== "string" || !isShared) break;
    folder += `${segment}/`;
  }
  return folder;
}

function segmentOf(text: string): Segment {
  if (text === "**") return ANY_FOLDERS;
  let rule = /^[*?[]/.test(text) ? "(?![._])" : "";
  let name: string | undefined = "";
  for (const [part] of text.matchAll(/\\.|\[[!^]?\]?[^\]]*\]|\*+|./gsu)) {
    const literal = part.length > 1 && part.startsWith("\\") ? part.slice(1) : part;
    if (part.startsWith("*")) rule += ".*";
    else if (part === "?") rule += ".";
    else if (part.length > 1 && part.startsWith("[")) rule += classOf(part);
    else {
      rule += escaped(literal);
      name = name === undefined ? undefined : name + literal;
      continue;
    }
    name = undefined;
  }
  return name ?? new RegExp(`^${rule}$`, "su");
}

/** `[!a-z]` as a class of a regular expression. */
function classOf(part: string): string {
  const isNegative = /^\[[!^]/.test(part);
  const inside = part.slice(isNegative ? 2 : 1, -1).replace(/[\\\]^[&~]/g, "\\$&");
  return `[${isNegative ? "^" : ""}${inside}]`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function alternativesOf(pattern: string): string[] {
  const all = expand(pattern);
  return all.length > MAX_ALTERNATIVES ? [pattern] : all;
}

/** Writes out the first `{a,b}`, and so the others. */
function expand(pattern: string): string[] {
  for (let open = pattern.indexOf("{"); open >= 0; open = pattern.indexOf("{", open + 1)) {
    const parts = partsOf(pattern, open);
    if (parts === undefined) continue;
    const before = pattern.slice(0, open);
    const rests = expand(pattern.slice(parts.end + 1));
    const all: string[] = [];
    for (const choice of parts.choices.flatMap(expand)) {
      for (const rest of rests) all.push(before + choice + rest);
      if (all.length > MAX_ALTERNATIVES) return all;
    }
    return all;
  }
  return [pattern];
}

/** What is between the braces, parted by its commas; undefined where it has none, or no end. */
function partsOf(pattern: string, open: number): { readonly choices: string[]; readonly end: number } | undefined {
  const choices: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "{") depth++;
    else if (character === "," && depth === 1) {
      choices.push(pattern.slice(start, at));
      start = at + 1;
    } else if (character === "}" && --depth === 0) {
      choices.push(pattern.slice(start, at));
      return choices.length > 1 ? { choices, end: at } : undefined;
    }
  }
  return undefined;
}
