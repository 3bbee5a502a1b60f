import { type MappedSchema, reusedNames } from "./columnMapping.js";
import { schemaDifferences } from "./compare.js";
import { asWidened } from "./typeChanges.js";

/**
 * The columns of rows in `given`, a schema the table had at some time, that rows of `reader`, another one of it, can't hold: those it
 * lacks, has in a type that doesn't take theirs, or has under the name of others.
 */
export function lostColumns(reader: MappedSchema, given: MappedSchema): string[] {
  // A column that came later is null in older rows; values of one that was widened are those of the wider type.
  const lost = schemaDifferences(reader.schema, asWidened(given.schema, reader.schema)).filter(
    ({ kind, assignable }) => kind !== "missing" || !assignable,
  );
  return [...new Set([...lost.map(({ column }) => column), ...reusedNames(reader, given)])];
}
