/**
 * What `open` gives for each source, one source after the other, while the first item of up to `depth` sources more
 * is already being made. Ending early closes every source that was opened.
 */
export async function* readAhead<S, T>(
  sources: AsyncIterable<S>,
  open: (source: S) => AsyncGenerator<T>,
  depth: number,
): AsyncGenerator<T> {
  const opened: { readonly items: AsyncGenerator<T>; readonly first: Promise<IteratorResult<T>> }[] = [];
  const pending = sources[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    for (;;) {
      while (!exhausted && opened.length <= depth) {
        const source = await pending.next();
        if (source.done) {
          exhausted = true;
          break;
        }
        const items = open(source.value);
        const first = items.next();
        // A failure is reported when its turn comes, which may be never.
        first.catch(() => undefined);
        opened.push({ items, first });
      }
      const head = opened[0];
      if (head === undefined) return;
      let item = await head.first;
      while (!item.done) {
        yield item.value;
        item = await head.items.next();
      }
      opened.shift();
    }
  } finally {
    await Promise.allSettled([pending.return?.(), ...opened.map(({ items }) => items.return(undefined))]);
  }
}
