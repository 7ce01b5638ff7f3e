import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import type { ProjectCopy } from "./project-copy";

export interface CommandAnswer {
  readonly code: number | null;
  /** Both streams, in the order of their arrival. */
  readonly output: string;
}

/** The environment of a user whose machines are of the fake driver, without what a test runner and another Pulumi set. */
export function fakeDriverEnvironment(project: ProjectCopy, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...project.environment, ...more, GROUNDPLANE_DRIVER: "fake" };
  for (const name of Object.keys(env)) if (/^(?:PULUMI_|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name)) delete env[name];
  return env;
}

/** Writes the file of a stack with these pools, and nothing else. */
export function configurePools(project: ProjectCopy, stack: string, counts: Readonly<Record<string, number>>): void {
  const pools = Object.entries(counts).map(([name, count]) => `    ${name}: {count: ${count}}\n`);
  fs.writeFileSync(project.stackFile(stack), `config:\n  groundplane:dataCenter:\n   pools:\n${pools.join("")}`);
}

/** Runs a command in the copy of the project. */
export function runInProject(
  project: ProjectCopy,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandAnswer> {
  return new Promise((resolve, reject) => {
    const options = { cwd: project.folder, env };
    const child = spawn(argv[0] as string, argv.slice(1), { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** `groundplane` for one stack of the project's copy, on the fake driver. */
export const groundplaneFor = (project: ProjectCopy, stack: string, words: readonly string[]): Promise<CommandAnswer> =>
  runInProject(
    project,
    [process.execPath, "cli/groundplane.cjs", ...words, "--stack", stack],
    fakeDriverEnvironment(project),
  );

/** Returns the output of a command that must succeed. */
export async function mustSucceedFor(project: ProjectCopy, stack: string, words: readonly string[]): Promise<string> {
  const { code, output } = await groundplaneFor(project, stack, words);
  assert.equal(code, 0, `${words.join(" ")}: ${output}`);
  return output;
}
