import { join } from "node:path";
import { expect, it } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, ok } from "./command.js";

it("runs queries over a table, its past and other tables", () =>
  inFolder(async (folder) => {
    const [T, other] = [join(folder, "t"), join(folder, "other")];
    await Table.open(T).append([{ id: 1n, city: "Ulm" }]);
    await Table.open(T).append([{ id: 2n, city: "Bonn" }]);
    await Table.open(other).append([{ city: "Bonn", land: "NRW" }]);
    expect(await ok(["sql", T, "select sum(id) as ids, count(*) as n from this"])).toBe('{"ids":3,"n":2}\n');
    expect(await ok(["sql", T, "from this", "--version", "0", "--format", "csv"])).toBe("id,city\n1,Ulm\n");
    const except = "select id from this except select id from old";
    expect(await ok(["sql", T, except, "--table", `old=${T}@0`])).toBe('{"id":2}\n');
    const join_ = "select id, land from this join o using (city)";
    expect(await ok(["sql", T, join_, "--table", `o=${other}`])).toBe('{"id":2,"land":"NRW"}\n');
    expect(await ok(["sql", T, "from this order by id", "--limit", "1"])).toBe('{"id":1,"city":"Ulm"}\n');
    expect((await failed(1, ["sql", T, "drop view this"])).code).toBe("DELTA_INVALID_SQL");
    await failed(2, ["sql", T]);
    await failed(2, ["sql", T, "from this", "--table", "x="]);
  }));
