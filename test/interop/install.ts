import { installJars, installPython } from "./environment.js";

/** Installs the peers before any test, so that no test's time holds an installation. */
export default async function setup(): Promise<void> {
  await Promise.all([installPython(), installJars()]);
}
