import { DECIMALS } from "./decimals.js";
import { MATHS } from "./maths.js";
import type { OwnFunction } from "./own.js";
import { TIMES } from "./times.js";

/** All functions of our own, by their names. */
export const OWN_FUNCTIONS: Readonly<Record<string, OwnFunction>> = { ...MATHS, ...DECIMALS, ...TIMES };
