const START = Date.UTC(2026, 0, 1);

export interface BenchRow {
  readonly id: bigint;
  readonly at: Date;
  readonly name: string;
  readonly value: number;
  readonly flag: boolean;
  readonly category: string;
}

/** The rows of append number `n`: the same as bench/peers/append.py makes. */
export function rows(n: number): BenchRow[] {
  return rowsFrom(n * 100, 100);
}

/** The same as bench/peers/rows.py makes. */
export function rowsFrom(first: number, count: number): BenchRow[] {
  return Array.from({ length: count }, (_, i) => {
    const id = first + i;
    return {
      id: BigInt(id),
      at: new Date(START + id * 1000),
      name: `name ${id % 97}`,
      value: (id % 1000) / 8,
      flag: id % 3 === 0,
      category: "abc".charAt(id % 3),
    };
  });
}

/** The rows that the merge workload brings to a table of `count`: half of them of ids that are there, spread over all, half of new ones. */
export function mergedRows(count: number): BenchRow[] {
  const each = count / 200;
  return Array.from({ length: 2 * each }, (_, i) => {
    const id = i < each ? i * 200 : count + i - each;
    return {
      id: BigInt(id),
      at: new Date(START + id * 1000),
      name: "merged",
      value: i / 8,
      flag: true,
      category: "d",
    };
  });
}
