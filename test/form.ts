/** `LONG=1` has the suites run their long forms, for which continuous integration has no time. */
export const isLong = process.env.LONG === "1";
