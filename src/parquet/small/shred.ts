import type { Data, Field } from "apache-arrow";
import { isValid, validityOf } from "../../arrow/bits.js";
import { offsetsOf } from "../../arrow/column.js";
import type { ParquetNode } from "../fileSchema.js";
import { LevelRuns, type Levels } from "./levels.js";
import { type Places, PlainValues } from "./plain.js";

// Records become columns as in the Dremel paper (Melnik et al., 2010): each value, null and empty list has a slot; its
// definition level says how deep it is there, its repetition level at which list it goes on.

/** A column chunk in the making. */
export interface Leaf {
  readonly node: ParquetNode;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly definition: LevelRuns;
  readonly repetition: LevelRuns;
  readonly values: PlainValues;
  /** Slots so far, nulls included. */
  count: number;
}

/** The column chunks of a schema, empty. */
export function leafChunks(node: ParquetNode, definition = 0, repetition = 0): Leaf[] {
  const { repetition_type: kind } = node.element;
  const maxDefinition = definition + (kind === "OPTIONAL" || kind === "REPEATED" ? 1 : 0);
  const maxRepetition = repetition + (kind === "REPEATED" ? 1 : 0);
  if (node.element.type === undefined) {
    return node.children.flatMap((child) => leafChunks(child, maxDefinition, maxRepetition));
  }
  const chunk = { definition: new LevelRuns(), repetition: new LevelRuns(), values: new PlainValues(node), count: 0 };
  return [{ node, maxDefinition, maxRepetition, ...chunk }];
}

/** The slots of a column, as far as its parents decide them. */
interface Slots {
  readonly count: number;
  /** Where a slot has a value of the parent's: how many optional and repeated parents that value has. */
  readonly level: number;
  readonly repetitionLevel: number;
  readonly definition: Levels;
  readonly repetition: Levels;
  readonly places: Places;
}

/** Adds the rows of a batch's columns to the chunks of its schema. */
export function shred(columns: readonly Data[], fields: readonly Field[], root: ParquetNode, leaves: Leaf[]): void {
  const rest = leaves[Symbol.iterator]();
  for (const [i, node] of root.children.entries()) {
    const column = columns[i]!;
    const slots = { level: 0, repetitionLevel: 0, definition: 0, repetition: 0, places: "all" } as const;
    addColumn(node, fields[i]!, column, { ...slots, count: column.length }, rest);
  }
}

function addColumn(node: ParquetNode, field: Field, data: Data, parent: Slots, leaves: Iterator<Leaf>): void {
  const slots = field.nullable ? defined(data, parent) : parent;
  if (node.children.length === 0) {
    const leaf: Leaf = leaves.next().value;
    leaf.count += slots.count;
    leaf.definition.add(slots.definition, slots.count);
    leaf.repetition.add(slots.repetition, slots.count);
    leaf.values.add(data, slots.places, slots.count);
    return;
  }
  const inner = (field.type.children as Field[])[0]!;
  const [group] = node.children;
  if (group!.element.repetition_type !== "REPEATED") {
    for (const [i, child] of node.children.entries()) {
      addColumn(child, field.type.children[i], data.children[i]!, slots, leaves);
    }
    return;
  }
  const items = repeated(data, slots);
  // A map's entries are a struct without nulls: its fields are the group's.
  if (group!.element.name === "key_value") {
    for (const [i, child] of group!.children.entries()) {
      addColumn(child, inner.type.children[i], data.children[0]!.children[i]!, items, leaves);
    }
  } else addColumn(group!.children[0]!, inner, data.children[0]!, items, leaves);
}

/** The slots below an optional column: those of its nulls have no value any more. */
function defined(data: Data, slots: Slots): Slots {
  const level = slots.level + 1;
  const { count, places } = slots;
  if (places === "none" || data.nullCount === data.length) return { ...slots, level, places: "none" };
  const validity = validityOf(data);
  if (validity === undefined && places === "all") return { ...slots, level, definition: level };
  const definition = levelsOf(slots.definition, count);
  const at = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const place = places === "all" ? i : places[i]!;
    const isThere = place >= 0 && isValid(validity, place);
    at[i] = isThere ? place : -1;
    if (isThere) definition[i] = level;
  }
  return { ...slots, level, definition, places: at };
}

/** The slots of a list's or map's items; an empty one keeps its slot. */
function repeated(data: Data, slots: Slots): Slots {
  const level = slots.level + 1;
  const repetitionLevel = slots.repetitionLevel + 1;
  const { places, count } = slots;
  if (places === "none") return { ...slots, level, repetitionLevel };
  const offsets = offsetsOf(data) as Int32Array;
  const definition: number[] = [];
  const repetition: number[] = [];
  const at: number[] = [];
  for (let i = 0; i < count; i++) {
    const place = places === "all" ? i : places[i]!;
    const start = place < 0 ? 0 : offsets[place]!;
    const end = place < 0 ? 0 : offsets[place + 1]!;
    const outer = levelAt(slots.repetition, i);
    if (start === end) {
      definition.push(levelAt(slots.definition, i));
      repetition.push(outer);
      at.push(-1);
    }
    for (let item = start; item < end; item++) {
      definition.push(level);
      repetition.push(item === start ? outer : repetitionLevel);
      at.push(item);
    }
  }
  return {
    count: at.length,
    level,
    repetitionLevel,
    definition: Uint8Array.from(definition),
    repetition: Uint8Array.from(repetition),
    places: Int32Array.from(at),
  };
}

function levelAt(levels: Levels, slot: number): number {
  return typeof levels === "number" ? levels : levels[slot]!;
}

function levelsOf(levels: Levels, count: number): Uint8Array {
  return typeof levels === "number" ? new Uint8Array(count).fill(levels) : levels.slice();
}
