// Sums vitest's JSON reports and prints the closing line. Arguments: their folder, how many steps failed, the suites that
// must have reported. A failed step or a missing report counts as a failure even where no test says so. What failed is told
// once more, since the end of a long output is what people are shown.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";

const [folder, failedSteps, ...suites] = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const suite of suites) {
  try {
    const report = JSON.parse(readFileSync(join(folder, `${suite}.json`), "utf8"));
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests;
    sum.skipped += report.numPendingTests + report.numTodoTests;
    // A file that can't be loaded, or whose hooks fail, has no failed test of its own.
    for (const { name, status, message, assertionResults } of report.testResults) {
      const failed = assertionResults.filter((test) => test.status === "failed");
      for (const { fullName, failureMessages } of failed) tell(suite, name, fullName, failureMessages.join("\n"));
      if (status !== "failed" || failed.length > 0) continue;
      tell(suite, name, "the file itself", message);
      sum.failed++;
    }
  } catch (error) {
    console.log(`no report of the suite ${suite}: ${error.message}`);
    sum.failed++;
  }
}
sum.failed = Math.max(sum.failed, Number(failedSteps));
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;

function tell(suite, file, test, message) {
  console.log(`FAILED in ${suite}: ${relative(".", file)}: ${test}\n${message.slice(0, 500)}`);
}
