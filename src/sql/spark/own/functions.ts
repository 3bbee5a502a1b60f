import { DECIMALS } from "./decimals.js";
import { HASHES } from "./hashes.js";
import { JSONS } from "./json.js";
import { MATHS } from "./maths.js";
import { NUMBER_TEXTS } from "./numberTexts.js";
import type { OwnFunction } from "./own.js";
import { TEXTS } from "./texts.js";
import { TIMES } from "./times.js";
import { URLS } from "./urls.js";

/** All functions of our own, by their names. */
export const OWN_FUNCTIONS: Readonly<Record<string, OwnFunction>> = {
  ...{ ...MATHS, ...DECIMALS, ...TIMES, ...TEXTS, ...NUMBER_TEXTS, ...JSONS, ...HASHES, ...URLS },
};
