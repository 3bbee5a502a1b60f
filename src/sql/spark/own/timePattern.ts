/** The patterns of dates and times of Spark, which are Java's. */

export interface Piece {
  /** A letter of a pattern, or "'" for what stands for itself. */
  readonly letter: string;
  readonly count: number;
  readonly text: string;
}

/** How many of a letter a pattern may have; with names where there are more than two. */
const LETTERS: Readonly<Record<string, readonly number[]>> = {
  ...{
    y: [1, 2, 3, 4, 5, 6],
    M: [1, 2, 3, 4],
    L: [1, 2, 3, 4],
    d: [1, 2],
    D: [1, 3],
    Q: [1, 2, 3, 4],
    q: [1, 2, 3, 4],
  },
  ...{ E: [1, 2, 3, 4], a: [1], h: [1, 2], K: [1, 2], k: [1, 2], H: [1, 2], m: [1, 2], s: [1, 2] },
  ...{ S: [1, 2, 3, 4, 5, 6, 7, 8, 9], X: [1, 2, 3], x: [1, 2, 3], Z: [1, 2, 3], V: [2] },
};
/** Those that are only written, not read. */
const WRITTEN_ONLY = new Set(["D", "Q", "q", "E", "L", "x", "Z"]);

/** A pattern's pieces; undefined for one that isn't understood. */
export function piecesOf(pattern: string, isRead: boolean): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (const [text, letter] of pattern.matchAll(/([a-zA-Z])\1*|''|'(?:[^']|'')*'|[^a-zA-Z']+|'/g)) {
    if (text === "'") return undefined;
    if (letter === undefined) {
      if (/[[\]{}#]/.test(text) && !text.startsWith("'")) return undefined;
      pieces.push({ letter: "'", count: 0, text: text === "''" ? "'" : unquoted(text) });
      continue;
    }
    if (!LETTERS[letter]?.includes(text.length) || (isRead && WRITTEN_ONLY.has(letter))) return undefined;
    pieces.push({ letter, count: text.length, text });
  }
  return isRead && pieces.some((piece, index) => isOpenEnded(piece, pieces[index + 1])) ? undefined : pieces;
}

function unquoted(text: string): string {
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text;
}

/** Digits of any number, and more of them behind it. */
function isOpenEnded({ letter, count }: Piece, next: Piece | undefined): boolean {
  const isNumber = (of: string) => /[yMdhKkHmsS]/.test(of);
  const isOpen = isNumber(letter) && (letter === "S" || count === 1 || (letter === "y" && count > 4));
  return isOpen && next !== undefined && (isNumber(next.letter) || /^\d/.test(next.letter === "'" ? next.text : ""));
}

/** Whether a pattern is one by which times are written, or read. */
export function isTimePattern(pattern: string, isRead: boolean): boolean {
  return piecesOf(pattern, isRead) !== undefined;
}
