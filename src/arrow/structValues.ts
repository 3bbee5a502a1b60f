import { type Data, Type } from "apache-arrow";
import { isSet, validityOf } from "./bits.js";
import { makeColumn } from "./column.js";
import { concatValues } from "./concatValues.js";
import { nullColumn } from "./constant.js";
import { takeValues } from "./takeValues.js";

/**
 * A struct column with other values at `path` (at least one name) inside. Where the struct, or one on the way, is null, it is there
 * afterwards, its other fields null.
 */
export function withValuesInside(struct: Data, path: readonly string[], values: Data): Data {
  const [name, ...rest] = path;
  const index = struct.type.children.findIndex((field: { readonly name: string }) => field.name === name);
  const children = structChildren(struct);
  children[index] = rest.length === 0 ? values : withValuesInside(children[index]!, rest, values);
  return makeColumn(struct.type, struct.length, undefined, { children });
}

/** The columns of a struct, null where the struct is: below a null there may be anything. */
function structChildren(struct: Data): Data[] {
  const validity = validityOf(struct);
  if (validity === undefined) return struct.children.slice();
  const rows = Uint32Array.from({ length: struct.length }, (_, row) => (isSet(validity, row) ? row : struct.length));
  return struct.children.map((child) => {
    if (child.typeId === Type.Null) return child;
    return takeValues(concatValues([child, nullColumn(child.type, 1)]), rows);
  });
}
