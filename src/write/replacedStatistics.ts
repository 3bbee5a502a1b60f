const PARTS = ["minValues", "maxValues", "nullCount"] as const;
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * The statistics of a file of which some columns have other values now: theirs from `now`, all others as they were, to the letter. Undefined where it
 * isn't told exactly what they were, of each of `columns`.
 */
export function replacedStatistics(
  before: string | undefined,
  now: string,
  columns: readonly (readonly string[])[],
  replaced: ReadonlySet<string>,
): string | undefined {
  const told = before === undefined ? undefined : parsed(before);
  if (told === undefined || told.tightBounds === false) return undefined;
  const kept = columns.filter(([name]) => !replaced.has(name!));
  if (!kept.every((path) => at(told.nullCount, path) !== undefined)) return undefined;
  const [old, own] = [membersOf(before!), membersOf(now)];
  if (old.get("numRecords") !== own.get("numRecords")) return undefined;
  for (const part of PARTS) {
    const [was, is] = [membersOf(old.get(part) ?? "{}"), membersOf(own.get(part) ?? "{}")];
    for (const name of replaced) was.delete(name);
    const members = new Map([...was, ...is]);
    if (members.size > 0 || old.has(part) || own.has(part)) old.set(part, objectOf(members));
  }
  return objectOf(old);
}

function parsed(text: string): { readonly tightBounds?: unknown; readonly nullCount?: unknown } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function at(tree: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return tree;
  return typeof tree === "object" && tree !== null ? at((tree as Record<string, unknown>)[name], rest) : undefined;
}

/** The members of an object in sound JSON, their values as they are written. */
function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let [depth, start] = [0, 0];
  let name: string | undefined;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const isEnd = token === "}" || token === "]";
    if (name !== undefined && depth === 1 && (isEnd || token === ",")) {
      members.set(name, text.slice(start, index).trim());
      name = undefined;
    }
    if (isEnd) depth--;
    else if (token === "{" || token === "[") depth++;
    else if (token === ":" && depth === 1) start = index + 1;
    else if (depth === 1 && name === undefined && token.startsWith('"')) name = JSON.parse(token);
  }
  return members;
}

function objectOf(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}
