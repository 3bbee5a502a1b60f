import { describe, expect, it } from "vitest";
import { streamOf, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { Life } from "./dyingStore.js";
import { ids, rows, upTo } from "./streams.js";

const offsetOf = ({ id }: { id: bigint }) => Number(id);

/** The ids up to `end`, from the place after an offset. */
const counter = (end: number) => (after: unknown) => rows(after === undefined ? 0 : Number(after) + 1, end);

describe("a stream of one's own source", () => {
  it("reads after the place it has come to, so many rows a batch", async () => {
    const target = Table.open(memoryStore());
    const checkpoint = memoryStore();
    const options = { offsetOf, maxRowsPerTrigger: 4 };
    expect(await streamOf(counter(10), options).toTable(target, { checkpoint })).toMatchObject({
      batchCount: 3,
      rowCount: 10,
    });
    expect(await streamOf(counter(10), options).toTable(target, { checkpoint })).toMatchObject({ batchCount: 0 });
    expect(await streamOf(counter(15), options).toTable(target, { checkpoint, trigger: "once" })).toMatchObject({
      batchCount: 1,
    });
    expect(await ids(target)).toEqual(upTo(15));
  });

  it("gives the same rows, once each, wherever it is killed between two writes", async () => {
    const run = async (lives: readonly Life[]) => {
      const [target, checkpoint] = [memoryStore(), memoryStore()];
      for (const life of lives) {
        await streamOf(counter(9), { offsetOf, maxRowsPerTrigger: 3 })
          .toTable(Table.open(life.store(target)), { checkpoint: life.store(checkpoint) })
          .catch((error) => {
            if (!life.isOver) throw error;
          });
      }
      return ids(Table.open(target));
    };
    const whole = new Life();
    expect(await run([whole])).toEqual(upTo(9));
    for (let at = 0; at < whole.writes; at++) {
      for (const takesEffect of [false, true]) {
        expect(await run([new Life(at, takesEffect), new Life()])).toEqual(upTo(9));
      }
    }
  });

  it("that doesn't give a planned batch's rows again is an error, and nothing of it is written", async () => {
    const [target, checkpoint] = [memoryStore(), memoryStore()];
    // The writes of a first batch: the id, the plan, and then the data file.
    const life = new Life(2);
    const first = streamOf(counter(3), { offsetOf });
    await expectCode("DELTA_STORAGE_FAILED", () =>
      first.toTable(Table.open(life.store(target)), { checkpoint: life.store(checkpoint) }),
    );
    const shorter = streamOf(counter(2), { offsetOf });
    await expectCode("DELTA_STREAM_DATA_LOST", () => shorter.toTable(Table.open(target), { checkpoint }));
    await first.toTable(Table.open(target), { checkpoint });
    expect(await ids(Table.open(target))).toEqual(upTo(3));
  });
});
