/**
 * Resolves once all files are durable; rejects where one couldn't be put. Who claims a version waits for it and is told; nobody may
 * have come to that yet, which must not end the process.
 */
export function allStored(parts: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  const all = Promise.all(parts).then(() => undefined);
  all.catch(() => undefined);
  return all;
}
