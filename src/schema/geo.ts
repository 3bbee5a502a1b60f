import type { DataType, GeoType, PrimitiveType } from "./types.js";

const GEO = /^(geometry|geography)\([^()]*\)$/i;

/** True for the text of a geometry or geography with its coordinate reference system: `geometry(OGC:CRS84)`. */
export function isGeo(type: DataType): type is GeoType {
  return typeof type === "string" && GEO.test(type);
}

/** The type that a type's values are read as: binary for places and shapes, itself for any other. */
export function valueType(type: PrimitiveType): Exclude<PrimitiveType, GeoType> {
  return isGeo(type) ? "binary" : type;
}
