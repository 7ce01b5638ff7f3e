/** One thing that is wrong with what the user wrote. */
export interface ConfigurationProblem {
  /** Path in the configuration, e.g. `pools.masters.count`. */
  readonly path: string;
  /** 1-based line in the file, where the file is known. */
  readonly line?: number;
  /** The value as written, shortened, JSON; secrets never occur in the configuration. */
  readonly value: string;
  /** The rule it breaks, e.g. `must be odd, so that etcd keeps a majority`. */
  readonly rule: string;
  /** What would be right, e.g. `use 1, 3 or 5`. */
  readonly fix: string;
}

/** Every problem with its place, value, rule and fix, for a terminal; two lines each. */
export function describeProblems(problems: readonly ConfigurationProblem[], fileName: string): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const entries = problems.map((problem) => {
    const place = problem.line === undefined ? fileName : `${fileName}:${problem.line}`;
    return `  ${place}  ${problem.path}: ${problem.value}\n      ${problem.rule}; ${problem.fix}`;
  });
  return [`${count} in ${fileName}:`, ...entries].join("\n");
}
