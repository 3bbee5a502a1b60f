// Uses SQL and then has nothing left to do: the process must end by itself.
import { parseWhere } from "#src/sql/where.js";

const schema = { type: "struct", fields: [{ name: "id", type: "long", nullable: true, metadata: {} }] };
const { op } = await parseWhere("id % 2 = 1", schema);
console.log(op);
