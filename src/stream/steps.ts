export { countByWindowStep } from "./countByWindow.js";
export { dropDuplicatesStep } from "./dropDuplicates.js";
export { filterStep, mapStep, watermarkStep } from "./rowSteps.js";
