import * as path from "node:path";
import { stackFolder } from "../../host/data-folder";
import { writeFileAtomic } from "../../host/file-store";
import { followCommand } from "../../host/follow-command";
import { interruptedError } from "../../host/interruption";
import type { ProgressLines } from "../../host/progress-lines";
import { UserError } from "../../model/user-error";
import { projectFolder } from "../project";
import { describeResource, isDone, parseResourceLine, readUpReport, type UpReport } from "./up-output";

/** Shown when Pulumi failed without a summary of its own. */
const LAST_LINES = 30;

/**
 * Runs `pulumi up` and tells what it does, resource by resource. The first Ctrl-C asks the engine to stop in order, the
 * second stops it at once; either way the next run goes on from there.
 *
 * @param env of `pulumiEnvironment`
 * @throws UserError `up-failed` with Pulumi's own summary of the errors
 */
export async function bringUp(
  stack: string,
  env: Readonly<Record<string, string>>,
  progress: ProgressLines,
): Promise<UpReport> {
  const lines: string[] = [];
  const tell = resourceTeller(progress);
  let interruptions = 0;
  const onInterrupt = (): void => {
    interruptions++;
    progress.note(interruptions === 1 ? "stopping in order; Ctrl-C once more stops at once" : "stopping at once");
  };
  process.on("SIGINT", onInterrupt);
  try {
    const words = ["up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive", "--color", "never"];
    const code = await followCommand(["pulumi", ...words, "--stack", stack], {
      cwd: projectFolder,
      env,
      onLine: (line) => {
        lines.push(line);
        tell(line);
      },
    });
    const report = readUpReport(lines);
    if (code === 0) return report;
    throw interruptions > 0 ? interruptedError(stack) : failed(stack, report, lines);
  } finally {
    process.off("SIGINT", onInterrupt);
    await writeFileAtomic(path.join(stackFolder(stack), "logs", "up.log"), `${lines.join("\n")}\n`, 0o600);
  }
}

/** Pulumi repeats the line of a resource whenever something is said about it: its end is told once. */
function resourceTeller(progress: ProgressLines): (line: string) => void {
  const told = new Set<string>();
  return (line) => {
    const resource = parseResourceLine(line);
    if (!resource) return;
    const { name, seconds, message } = resource;
    if (!isDone(resource)) {
      if (message) progress.status(message.startsWith(`${name}:`) ? message : `${name}: ${message}`);
      return;
    }
    const what = describeResource(resource);
    if (!told.has(what)) progress.note(seconds === undefined ? what : `${what} (${seconds} s)`);
    told.add(what);
  };
}

function failed(stack: string, report: UpReport, lines: readonly string[]): UserError {
  const said = report.diagnostics || lines.slice(-LAST_LINES).join("\n");
  return new UserError(
    "up-failed",
    `pulumi up of ${stack} failed:\n${said}`,
    `correct what it says and run the same command again; everything it printed is in ${path.join(stackFolder(stack), "logs", "up.log")}`,
  );
}
