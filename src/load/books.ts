/**
 * What became of the records that a job has read. They balance in every commit, and so over all of them:
 * `rowsRead = rowsLoaded + rowsDead + rowsFiltered`.
 */
export interface Books {
  /** Records that were read, each once. */
  readonly rowsRead: number;
  /** Those that are rows of the table. */
  readonly rowsLoaded: number;
  /** Those that are dead letters. */
  readonly rowsDead: number;
  /** Those that `where` kept out. */
  readonly rowsFiltered: number;
  /** Files that were read to their end. */
  readonly filesDone: number;
  /** Bytes of the stored files that the records took. */
  readonly bytesRead: number;
}

export const NO_BOOKS: Books = {
  rowsRead: 0,
  rowsLoaded: 0,
  rowsDead: 0,
  rowsFiltered: 0,
  filesDone: 0,
  bytesRead: 0,
};

export function addBooks(a: Books, b: Books): Books {
  return {
    rowsRead: a.rowsRead + b.rowsRead,
    rowsLoaded: a.rowsLoaded + b.rowsLoaded,
    rowsDead: a.rowsDead + b.rowsDead,
    rowsFiltered: a.rowsFiltered + b.rowsFiltered,
    filesDone: a.filesDone + b.filesDone,
    bytesRead: a.bytesRead + b.bytesRead,
  };
}

/** What a commit's `operationMetrics` say of its batch, as texts. */
export function bookMetrics(books: Books): Record<string, string> {
  const { rowsRead, rowsLoaded, rowsDead, rowsFiltered } = books;
  return {
    rowsRead: String(rowsRead),
    rowsLoaded: String(rowsLoaded),
    rowsDead: String(rowsDead),
    rowsFiltered: String(rowsFiltered),
  };
}
