import { expect, it } from "vitest";
import type { Call } from "./calls.js";
import { seeded } from "./random.js";
import { Disk } from "./states.js";

const DATA = Buffer.from("abcd");
const NOTHING_BEFORE = { folders: [], files: new Map<string, Uint8Array>() };

/** The files, with what is in them, that a crash after all of the calls may leave; "." for a zero byte. */
function outcomes(calls: readonly Call[], base = NOTHING_BEFORE): string[] {
  const { images, allowed } = new Disk({ base, calls }).outcomes(calls.length, 1000, seeded(1));
  expect(images).toHaveLength(allowed);
  const texts = images.map(({ files, folders }) =>
    [
      ...[...folders].map((folder) => `${folder}/`),
      ...[...files].map(([name, bytes]) => `${name}:${Buffer.from(bytes).toString("latin1").replaceAll("\0", ".")}`),
    ]
      .sort()
      .join(" "),
  );
  return [...new Set(texts)].sort();
}

it("loses, cuts or zeroes what isn't flushed", () => {
  expect(
    outcomes([
      { op: "create", path: "f", file: 0 },
      { op: "write", file: 0, bytes: DATA },
    ]),
  ).toEqual(["", "f:", "f:....", "f:ab", "f:ab..", "f:abcd"]);
});

it("keeps a flushed file's bytes, not its name", () => {
  expect(
    outcomes([
      { op: "create", path: "f", file: 0 },
      { op: "write", file: 0, bytes: DATA },
      { op: "flushFile", file: 0, since: 2 },
    ]),
  ).toEqual(["", "f:abcd"]);
});

it("keeps what was written before a flush began, not what came while it ran", () => {
  expect(
    outcomes([
      { op: "create", path: "f", file: 0 },
      { op: "write", file: 0, bytes: DATA },
      { op: "write", file: 0, bytes: DATA },
      { op: "flushFile", file: 0, since: 2 },
      { op: "flushFolder", path: "", since: 2 },
    ]),
  ).toEqual(["f:abcd", "f:abcd....", "f:abcdab", "f:abcdab..", "f:abcdabcd"]);
});

it("lets the names of a folder go their own ways until it is flushed", () => {
  const calls: Call[] = [
    { op: "create", path: "a", file: 0 },
    { op: "link", from: "a", to: "b" },
  ];
  expect(outcomes(calls)).toEqual(["", "a:", "a: b:", "b:"]);
  expect(outcomes([...calls, { op: "flushFolder", path: "", since: 1 }])).toEqual(["a:", "a: b:"]);
  expect(outcomes([...calls, { op: "flushFolder", path: "", since: 2 }])).toEqual(["a: b:"]);
});

it("keeps the old file or the new one where a rename replaced it", () => {
  const base = { folders: [], files: new Map([["old", DATA]]) };
  const calls: Call[] = [
    { op: "create", path: "new", file: 1 },
    { op: "flushFolder", path: "", since: 1 },
    { op: "rename", from: "new", to: "old" },
  ];
  expect(outcomes(calls, base)).toEqual(["new: old:", "new: old:abcd", "old:", "old:abcd"]);
});

it("loses all that is in a folder with the folder's own name", () => {
  const calls: Call[] = [
    { op: "mkdir", path: "d" },
    { op: "create", path: "d/f", file: 0 },
    { op: "flushFolder", path: "d", since: 2 },
  ];
  expect(outcomes(calls)).toEqual(["", "d/ d/f:"]);
  expect(outcomes([...calls, { op: "flushFolder", path: "", since: 3 }])).toEqual(["d/ d/f:"]);
});

it("may bring back what was removed", () => {
  const base = { folders: [], files: new Map([["f", DATA]]) };
  expect(outcomes([{ op: "unlink", path: "f" }], base)).toEqual(["", "f:abcd"]);
});
