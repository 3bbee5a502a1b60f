import { describe, expect, test } from "vitest";
import type { Action } from "#src/log/actions.js";
import { forEachAction, parseCommit, serializeCommit } from "#src/log/commitFile.js";
import { expectCode } from "../expectCode.js";
import { add, commitInfo, metaData, PROTOCOL, remove } from "./build.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a commit", () => {
  test("[R-LOG-2] is one action a line, and comes back as it was", () => {
    const actions = [commitInfo("a"), PROTOCOL, metaData(), add("x"), remove("y"), { txn: { appId: "b", version: 3 } }];
    const written = serializeCommit(actions);
    expect(new TextDecoder().decode(written).split("\n")).toHaveLength(actions.length + 1);
    expect(parseCommit(1, written)).toEqual(actions);
  });

  test("[R-CKPT-14] [R-LOG-3] may have a byte order mark, blank lines, CRLF, unknown actions and no end of line", () => {
    const lines = ["\ufeff", '{"txn":{"appId":"a","version":1}}\r', "", '{"checkpointMetadata":{}}', '  {"sidecar":1}'];
    expect(parseCommit(1, bytes([...lines, JSON.stringify(add("x"))].join("\n")))).toEqual([
      { txn: { appId: "a", version: 1 } },
      add("x"),
    ]);
  });

  test("keeps versions of applications beyond 2^53", () => {
    const version = 9_007_199_254_740_993n;
    const actions: Action[] = [{ txn: { appId: "version", version, lastUpdated: 5 } }];
    const written = serializeCommit(actions);
    expect(new TextDecoder().decode(written)).toContain('"version":9007199254740993');
    expect(parseCommit(1, written)).toEqual(actions);
  });

  test("passes commitInfo over where nobody asks, and finds one that is cut short all the same", async () => {
    const seen: Action[] = [];
    const text = `${JSON.stringify(commitInfo("a"))}\n${JSON.stringify(add("x"))}\n`;
    forEachAction(1, bytes(text), { commitInfo: false }, (action) => seen.push(action));
    expect(seen).toEqual([add("x")]);
    const cut = bytes('{"commitInfo":{"timestamp":1,"opera');
    const error = await expectCode("DELTA_LOG_CORRUPT", () =>
      forEachAction(1, cut, { commitInfo: false }, () => undefined),
    );
    expect(error.data.line).toBe(1);
  });

  test("with a key __proto__ changes no prototype", () => {
    const text = '{"__proto__":{"polluted":true},"add":{"path":"x","size":1,"partitionValues":{"__proto__":"v"}}}';
    const [action] = parseCommit(1, bytes(text)) as [Action & { add: { partitionValues: object } }];
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.entries(action.add.partitionValues)).toEqual([["__proto__", "v"]]);
  });

  test.each([
    ['{"add":{"path":"x","size":1}}\n{"add":{"pa', 2],
    ["[]", 1],
    ["5", 1],
    ['{"add":[]}', 1],
    ['{"add":{"size":1}}', 1],
    ['{"add":{"path":"x"}}', 1],
    ['\n\n{"remove":{}}', 3],
    ['{"txn":{"appId":"a"}}', 1],
    ['{"domainMetadata":{}}', 1],
  ])("%j is corrupt", async (text, line) => {
    const error = await expectCode("DELTA_LOG_CORRUPT", () => parseCommit(7, bytes(text)));
    expect(error.data).toEqual({ path: "_delta_log/00000000000000000007.json", version: 7, line });
  });

  test("that isn't UTF-8 is corrupt", async () => {
    await expectCode("DELTA_LOG_CORRUPT", () => parseCommit(7, Uint8Array.of(0x7b, 0xff, 0x7d)));
  });
});
