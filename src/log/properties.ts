import { DeltaError } from "../errors.js";
import { nearestName } from "../schema/columns.js";
import type { Metadata } from "./actions.js";
import { unwritableFeatures } from "./features.js";
import { FEATURES } from "./featureTable.js";
import { INTERNAL_PROPERTIES, PROPERTIES } from "./propertyTable.js";

export type PropertyName = keyof typeof PROPERTIES;
export type PropertyValue<N extends PropertyName> = (typeof PROPERTIES)[N]["default"];

const KNOWN_NAMES: readonly string[] = [
  ...new Set([...Object.keys(PROPERTIES), ...FEATURES.flatMap(({ property }) => property ?? [])]),
];

/**
 * A table property's value, or its default where the table doesn't set it. Throws `DELTA_INVALID_PROPERTY_VALUE`
 * naming it where its text makes no sense: guessing could delete or keep the wrong things.
 */
export function property<N extends PropertyName>(metadata: Pick<Metadata, "configuration">, name: N): PropertyValue<N> {
  const text = Object.hasOwn(metadata.configuration, name) ? metadata.configuration[name] : undefined;
  return text === undefined || text === null ? PROPERTIES[name].default : (parsed(name, text) as PropertyValue<N>);
}

/** What stands before a feature's name in a property that asks for it, with the value `supported`. It isn't kept as a property. */
export const FEATURE_PREFIX = "delta.feature.";

/**
 * Checks the properties that a new table asks for. Names outside `delta.` are free.
 *
 * Throws `DELTA_UNKNOWN_PROPERTY` (with the nearest name in `data.nearest`), `DELTA_INVALID_PROPERTY_VALUE`,
 * `DELTA_CANNOT_MODIFY_TABLE_PROPERTY` for one that writers keep themselves, or `DELTA_UNSUPPORTED_FEATURES_FOR_WRITE` where a property
 * turns on a feature that this release can't honour.
 */
export function checkNewProperties(configuration: Readonly<Record<string, string>>): void {
  checkProperties(configuration);
  const features = unwritableFeatures({ schemaString: "", configuration });
  if (features.length > 0) {
    throw new DeltaError(
      "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE",
      `The table's properties turn on ${features.join(", ")}, which this release can't write. Leave them out.`,
      { features },
    );
  }
}

/** As {@link checkNewProperties}, but for the features. */
export function checkProperties(configuration: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(configuration)) {
    checkSettable(name);
    if (Object.hasOwn(PROPERTIES, name)) parsed(name as PropertyName, text);
    if (!name.startsWith("delta.") || name.startsWith("delta.constraints.") || name.startsWith(FEATURE_PREFIX))
      continue;
    if (!KNOWN_NAMES.includes(name)) throw unknownProperty(name);
  }
}

/** Throws `DELTA_CANNOT_MODIFY_TABLE_PROPERTY` for a property that writers keep themselves. */
export function checkSettable(name: string): void {
  if (!INTERNAL_PROPERTIES.has(name)) return;
  throw new DeltaError(
    "DELTA_CANNOT_MODIFY_TABLE_PROPERTY",
    `The table property ${name} is kept by those who write the table; it can't be set. Leave it out.`,
    { property: name },
  );
}

function parsed(name: PropertyName, text: string): unknown {
  const { parse, expects } = PROPERTIES[name];
  const value = parse(text);
  if (value !== undefined) return value;
  throw new DeltaError(
    "DELTA_INVALID_PROPERTY_VALUE",
    `The table property ${name} is ${JSON.stringify(text)}, but it must be ${expects}.`,
    { property: name, value: text },
  );
}

function unknownProperty(name: string): DeltaError {
  const nearest = nearestName(name, KNOWN_NAMES);
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new DeltaError(
    "DELTA_UNKNOWN_PROPERTY",
    `There is no table property ${name}.${hint} Names that don't start with "delta." are free.`,
    { property: name, nearest },
  );
}
