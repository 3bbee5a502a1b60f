import { DeltaError } from "../../errors.js";

/** An item that can't be built. */
export interface BadItem {
  readonly index: number;
  readonly error: DeltaError;
}

/**
 * Builds all items but those that can't be built, which are found by halving: few of them among many cost a few builds more. Errors other
 * than a DeltaError of kind `fix-data` or `fix-input` are thrown.
 */
export function buildGood<T, B>(
  items: readonly T[],
  build: (items: readonly T[]) => B,
): { readonly built: B | undefined; readonly bad: readonly BadItem[] } {
  const bad: BadItem[] = [];
  const whole = tryBuild(items, 0, build, bad);
  if (bad.length === 0) return { built: whole, bad };
  const good: T[] = [];
  let next = 0;
  for (const [index, item] of items.entries()) {
    if (bad[next]?.index === index) next++;
    else good.push(item);
  }
  return { built: good.length === 0 ? undefined : build(good), bad };
}

function tryBuild<T, B>(
  items: readonly T[],
  first: number,
  build: (items: readonly T[]) => B,
  bad: BadItem[],
): B | undefined {
  if (items.length === 0) return undefined;
  try {
    return build(items);
  } catch (error) {
    if (!(error instanceof DeltaError) || !["fix-data", "fix-input"].includes(error.kind)) throw error;
    if (items.length === 1) bad.push({ index: first, error });
    else {
      const middle = items.length >> 1;
      tryBuild(items.slice(0, middle), first, build, bad);
      tryBuild(items.slice(middle), first + middle, build, bad);
    }
    return undefined;
  }
}
