import type { ObjectStore } from "delta-table";

/** Requests and bytes of one call. */
export interface Tally {
  readonly requests: Readonly<Record<string, number>>;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** A store that counts what it is asked for. */
export function tallying(inner: ObjectStore): { readonly store: ObjectStore; take(): Tally } {
  let requests: Record<string, number> = {};
  let [bytesRead, bytesWritten] = [0, 0];
  const asked = (verb: string) => {
    requests[verb] = (requests[verb] ?? 0) + 1;
  };
  const sizeOf = (written: unknown) =>
    (written instanceof Uint8Array ? [written] : (written as readonly Uint8Array[])).reduce(
      (sum, { length }) => sum + length,
      0,
    );
  const store = new Proxy(inner, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      if (name === "localPath" || name === "settle" || name === "sweep" || typeof name === "symbol")
        return value.bind(target);
      return (...args: readonly unknown[]) => {
        asked(name);
        if (["put", "putNew", "putIfAbsent", "putHint"].includes(name)) bytesWritten += sizeOf(args[1]);
        const result: unknown = value.apply(target, args);
        if (name !== "get") return result;
        return (result as Promise<Uint8Array>).then((bytes) => {
          bytesRead += bytes.length;
          return bytes;
        });
      };
    },
  });
  return {
    store,
    take() {
      const tally = { requests, bytesRead, bytesWritten };
      requests = {};
      [bytesRead, bytesWritten] = [0, 0];
      return tally;
    },
  };
}
