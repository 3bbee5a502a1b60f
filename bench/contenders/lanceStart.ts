// LanceDB: a whole process opens a small table and prints its count. Argument: the folder.
import { lancedb } from "../lancedb.js";

console.log(await (await (await lancedb().connect(process.argv[2]!)).openTable("rows")).countRows());
