/** This package's version, as written into `commitInfo.engineInfo`. A test holds it equal to package.json's. */
export const VERSION = "0.1.0";
