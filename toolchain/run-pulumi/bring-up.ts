import * as path from "node:path";
import { stackFolder } from "../../host/data-folder";
import { writeFileAtomic } from "../../host/file-store";
import { followCommand } from "../../host/foreground-commands";
import { interruptedError } from "../../host/interruption";
import { projectFolder } from "../../host/project-folder";
import { UserError } from "../../model/user-error";
import { explainFailure } from "./explain-failure";
import { type UpNews, UpReport } from "./up-report";

const options = ["--yes", "--skip-preview", "--suppress-outputs", "--non-interactive", "--color", "never", "--json"];

/**
 * Runs `pulumi up` and reports each resource as it is done. The first Ctrl-C asks the engine to stop after the running
 * operations, the second one to stop immediately; either way the next run continues from there.
 *
 * @param env of `pulumiEnvironment`
 * @returns whether the stack was up already, without a change
 * @throws UserError `up-failed` with Pulumi's errors, `interrupted`, `wrong-passphrase`
 */
export async function bringUp(
  stack: string,
  env: Readonly<Record<string, string>>,
  news: UpNews,
): Promise<{ readonly isUnchanged: boolean }> {
  const report = new UpReport(news);
  let interruptions = 0;
  const onInterrupt = (): void => {
    interruptions++;
    news.note(interruptions === 1 ? "stopping; press Ctrl-C again to stop immediately" : "stopping immediately");
  };
  const logFile = path.join(stackFolder(stack), "logs", "up.log");
  process.on("SIGINT", onInterrupt);
  try {
    const code = await followCommand(["pulumi", "up", ...options, "--stack", stack], {
      cwd: projectFolder(),
      env,
      onLine: (line) => report.read(line),
    });
    if (code === 0) return { isUnchanged: report.isUnchanged };
    if (interruptions > 0) throw interruptedError(stack);
    throw (await explainFailure(stack, report.problems, env)) ?? failed(stack, report.problems, logFile);
  } finally {
    process.off("SIGINT", onInterrupt);
    await writeFileAtomic(logFile, `${report.log.join("\n")}\n`, 0o600);
  }
}

const failed = (stack: string, problems: string, logFile: string): UserError =>
  new UserError(
    "up-failed",
    `pulumi up of ${stack} failed:\n${problems}`,
    `fix the problem and run the same command again; the log is ${logFile}`,
  );
