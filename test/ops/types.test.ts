import { expectTypeOf, it } from "vitest";
import { type RowOf, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";

interface Event {
  id: bigint;
  name: string | null;
}

it("rows are typed by the handle, or by a schema literal", async () => {
  const events = Table.open<Event>(memoryStore());
  const input: Event[] = [{ id: 1n, name: "a" }];
  await events.append(input);
  expectTypeOf(await events.toArray()).toEqualTypeOf<Event[]>();
  // @ts-expect-error a column that the type lacks
  await events.append([{ id: 2n, name: "b", more: 1 }]).catch(() => undefined);

  const schema = { id: "long", tags: ["string"] } as const;
  const literal = Table.open<RowOf<typeof schema>>(memoryStore());
  await literal.append([{ id: 1n, tags: ["a", null] }], { schema });
  expectTypeOf((await literal.toArray())[0].id).toEqualTypeOf<bigint | null>();

  // An untyped handle takes rows of any interface.
  await Table.open(memoryStore()).append(input);
  expectTypeOf(await Table.open("memory:x").scan().toArray).returns.resolves.toEqualTypeOf<Record<string, unknown>[]>();
});
