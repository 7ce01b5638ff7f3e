import * as path from "node:path";

/** Lets a process of Node.js that a test starts load TypeScript of the project as the tests do (test/runner/load-typescript.cjs). */
export const typescriptArguments: readonly string[] = [
  "--require",
  path.resolve(__dirname, "..", "runner", "load-typescript.cjs"),
];
