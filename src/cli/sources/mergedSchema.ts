import { resolve } from "node:path";
import { formats } from "../../load/format/formats.js";
import { listSources } from "../../load/source/list.js";
import { mergeSchemas } from "../../schema/merge.js";
import type { StructType } from "../../schema/types.js";
import type { InputFile } from "./files.js";
import { bytesOf, type SourceContext } from "./rows.js";

/** Inputs that have been looked at, and the columns of them all. */
export interface MergedInputs {
  readonly files: readonly InputFile[];
  readonly schema: StructType | undefined;
  /** The columns that files have, those among them in which only nulls are seen. */
  readonly names: ReadonlySet<string>;
}

/**
 * The table's schema with the columns that files have beside it. Each file's beginning is looked at; what comes once only is kept in a
 * temporary file. Columns in which only nulls are seen aren't added. Throws what a format throws that can't read a file.
 */
export async function mergedSchema(
  files: readonly InputFile[],
  context: SourceContext,
  table: StructType | undefined,
): Promise<MergedInputs> {
  const kept: InputFile[] = [];
  const names = new Set<string>();
  let schema = table;
  for (const file of files) {
    const path = file.path ?? (await context.temporary.spool(bytesOf(file, context), context.signal));
    kept.push({ ...file, path });
    const own = await columnsOf({ ...file, path }, names, context.signal);
    if (own !== undefined) schema = schema === undefined ? own : mergeSchemas(schema, own);
  }
  return { files: kept, schema, names };
}

async function columnsOf(
  { path, format }: InputFile,
  names: Set<string>,
  signal: AbortSignal,
): Promise<StructType | undefined> {
  await using sources = listSources([resolve(path!)], { format, signal });
  for await (const source of sources) {
    if (source.identity.sizeBytes === 0) continue;
    const { shape } = await formats[format]();
    const { schema, unshown = [] } = await shape(source, {}, signal);
    for (const { name } of schema.fields) names.add(name);
    for (const name of unshown) names.add(name);
    return { type: "struct", fields: schema.fields.filter(({ name }) => !unshown.includes(name)) };
  }
  return undefined;
}
