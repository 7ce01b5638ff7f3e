import type { ConfigurationProblem } from "./configuration";

/** Every problem with its place, value, rule and fix, for a terminal; two lines each. */
export function describeProblems(problems: readonly ConfigurationProblem[], fileName: string): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const entries = problems.map((problem) => {
    const place = problem.line === undefined ? fileName : `${fileName}:${problem.line}`;
    return `  ${place}  ${problem.path}: ${problem.value}\n      ${problem.rule}; ${problem.fix}`;
  });
  return [`${count} in ${fileName}:`, ...entries].join("\n");
}
