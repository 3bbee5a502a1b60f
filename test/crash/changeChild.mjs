// Takes the steps of changeSteps.mjs that the table hasn't seen. Argument: { table, from }.

import { Table } from "#src/index.js";
import { STEPS, takeStep } from "./changeSteps.mjs";

const { table: location, from } = JSON.parse(process.argv[2]);
const table = Table.open(location);
for (let step = from; step < STEPS; step++) await takeStep(table, step);
process.exit(0);
