/** The process that builds as root of a user namespace; build-in-namespace.ts starts it with its task on standard input. */
import { text } from "node:stream/consumers";
import { localHost } from "../../host/local-host";
import { UserError } from "../../model/user-error";
import { ensureImages } from "../build-images";
import type { BuildMessage, BuildTask } from "../build-in-namespace";
import { createBundle } from "../parts/bundle";

const print = (message: BuildMessage): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

async function main(): Promise<unknown> {
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interruption.abort());
  const task = JSON.parse(await text(process.stdin)) as BuildTask;
  const { recipes } = task;
  const context = {
    signal: interruption.signal,
    progress: (progress: Extract<BuildMessage, { progress: unknown }>["progress"]) => print({ progress }),
  };
  if (task.kind === "images") return ensureImages(localHost, { recipes, verify: task.verify, ...context });
  const { file, programs, sign, packageLocks } = task;
  return createBundle(localHost, file, { recipes, programs, sign, packageLocks, ...context });
}

main().then(
  (result) => print({ result }),
  (error: unknown) => {
    process.exitCode = 1;
    if (!(error instanceof UserError)) throw error;
    print({ failure: { id: error.id, problem: error.problem, hint: error.hint } });
  },
);
