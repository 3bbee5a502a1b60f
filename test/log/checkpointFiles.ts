import { buildColumn } from "#src/arrow/buildColumn.js";
import { makeBatch } from "#src/arrow/column.js";
import { toArrowField } from "#src/arrow/schema.js";
import type { CheckpointAction } from "#src/log/actions.js";
import { checkpointFields } from "#src/log/checkpointSchema.js";
import { SIDECAR_FOLDER } from "#src/log/names.js";
import { encodeParquet } from "#src/parquet/write.js";
import type { DataType, StructField } from "#src/schema/types.js";
import type { ObjectStore } from "#src/storage/store.js";

const VERSION = "00000000000000000002";
const UUID = "80a083e8-7026-4e79-81be-64bd76c43a11";

export const field = (name: string, type: DataType): StructField => ({ name, type, nullable: true, metadata: {} });
export const struct = (...fields: StructField[]): DataType => ({ type: "struct", fields });

const tags = { type: "map", keyType: "string", valueType: "string", valueContainsNull: true } as const;

/** The columns of a checkpoint of V2 (PROTOCOL.md, Checkpoint Schema). */
const V2_FIELDS: readonly StructField[] = [
  ...checkpointFields(),
  field("checkpointMetadata", struct(field("version", "long"), field("tags", tags))),
  field(
    "sidecar",
    struct(
      field("path", "string"),
      field("sizeInBytes", "long"),
      field("modificationTime", "long"),
      field("tags", tags),
    ),
  ),
];

/** Actions as a Parquet file with these columns. */
export async function parquetOf(
  actions: readonly object[],
  fields: readonly StructField[] = V2_FIELDS,
): Promise<Uint8Array> {
  const columns = fields.map(({ name, type }) => {
    const values = actions.map((action) => known(type, (action as Record<string, unknown>)[name] ?? null));
    return buildColumn(type, values, { column: name, rowOf: (row) => row });
  });
  const { bytes } = await encodeParquet([makeBatch(fields.map(toArrowField), columns, actions.length)]);
  return bytes;
}

/** Without the members that the column doesn't have. */
function known(type: DataType, value: unknown): unknown {
  if (typeof type === "string" || type.type !== "struct" || value === null) return value;
  const members = value as Record<string, unknown>;
  return Object.fromEntries(type.fields.map((member) => [member.name, members[member.name] ?? null]));
}

export function jsonOf(actions: readonly CheckpointAction[]): Uint8Array {
  return new TextEncoder().encode(actions.map((action) => `${JSON.stringify(action)}\n`).join(""));
}

export const METADATA_OF_2: CheckpointAction = { checkpointMetadata: { version: 2 } };

const isOfFile = (action: CheckpointAction) => "add" in action || "remove" in action;

/** Writes the file actions as two sidecars; the actions that name them. */
export async function putSidecars(
  store: ObjectStore,
  actions: readonly CheckpointAction[],
  pathOf: (name: string) => string = (name) => name,
): Promise<CheckpointAction[]> {
  const files = actions.filter(isOfFile);
  const half = files.length >> 1;
  const sidecars: CheckpointAction[] = [];
  for (const [i, part] of [files.slice(0, half), files.slice(half)].entries()) {
    const name = `side ${i}.parquet`;
    const bytes = await parquetOf(
      part,
      V2_FIELDS.filter((column) => ["add", "remove"].includes(column.name)),
    );
    await store.put(`${SIDECAR_FOLDER}${name}`, bytes);
    const path = pathOf(name.replace(" ", "%20"));
    sidecars.push({ sidecar: { path, sizeInBytes: bytes.length, ...{ modificationTime: 1 } } });
  }
  return sidecars;
}

/** Each writes the actions as one kind of checkpoint of version 2, and gives the paths of its own files. */
export const KINDS: Readonly<
  Record<string, (store: ObjectStore, actions: readonly CheckpointAction[]) => Promise<string[]>>
> = {
  "a classic one": (store, actions) => put(store, "checkpoint.parquet", parquetOf(actions, checkpointFields())),
  "a classic one of V2 with sidecars": async (store, actions) =>
    put(store, "checkpoint.parquet", parquetOf(await top(store, actions))),
  "a classic one of V2": (store, actions) => put(store, "checkpoint.parquet", parquetOf([METADATA_OF_2, ...actions])),
  "one in Parquet with sidecars": async (store, actions) =>
    put(store, `checkpoint.${UUID}.parquet`, parquetOf(await top(store, actions))),
  "one in Parquet": (store, actions) =>
    put(store, `checkpoint.${UUID}.parquet`, parquetOf([METADATA_OF_2, ...actions])),
  "one in JSON with sidecars": async (store, actions) =>
    put(store, `checkpoint.${UUID}.json`, jsonOf(await top(store, actions))),
  "one in JSON": (store, actions) => put(store, `checkpoint.${UUID}.json`, jsonOf([METADATA_OF_2, ...actions])),
  "one of several parts": async (store, actions) => {
    const paths: string[] = [];
    for (const [i, part] of [actions.slice(0, 2), actions.slice(2, 5), actions.slice(5)].entries()) {
      const name = `checkpoint.${String(i + 1).padStart(10, "0")}.0000000003.parquet`;
      paths.push(...(await put(store, name, parquetOf(part, checkpointFields()))));
    }
    return paths;
  },
};

async function top(store: ObjectStore, actions: readonly CheckpointAction[]): Promise<CheckpointAction[]> {
  const state = actions.filter((action) => !isOfFile(action));
  return [METADATA_OF_2, ...(await putSidecars(store, actions)), ...state];
}

async function put(store: ObjectStore, name: string, bytes: Uint8Array | Promise<Uint8Array>): Promise<string[]> {
  const path = `_delta_log/${VERSION}.${name}`;
  await store.put(path, await bytes);
  return [path];
}
