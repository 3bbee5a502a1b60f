import path from "node:path";

/** Tables that Spark made (test/interop/recipes.test.ts), with what it reads of them at each version. */
export const TABLES = path.resolve("test/golden/tables");
