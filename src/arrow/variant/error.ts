/** Bytes or columns that don't make a variant; who knows the file they are from names it. */
export class VariantError extends RangeError {}
