import * as path from "node:path";
import type { CommandResult } from "../../model/commands";
import type { Host } from "../../model/host";
import { imageFolder } from "../image-files";
import type { BuildContext } from "../store/build-context";

export interface BuildScriptOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs one of image/scripts in mount and process namespaces of its own. Its lines that begin with `I: ` are progress. */
export async function runBuildScript(
  name: string,
  phase: string,
  { env, timeoutMs }: BuildScriptOptions,
  { host, progress, signal }: BuildContext,
): Promise<CommandResult> {
  return host.run([...host.namespaces.own, "sh", path.join(imageFolder, "scripts", name)], {
    env,
    timeoutMs,
    signal,
    onLine: reportSteps(phase, progress),
  });
}

/** Reports the steps that a script or mmdebstrap prints as `I: step`. */
export const reportSteps =
  (phase: string, progress: BuildContext["progress"]) =>
  (line: string): void => {
    const step = /^I: (.*)/.exec(line)?.[1];
    if (step) progress({ phase, message: step });
  };

/**
 * Mount option, with a comma before it, that tells an overlay where to record removed and replaced folders. Root of a
 * user namespace cannot write the attributes that root of the host writes. Empty for root of the host.
 */
export const overlayMarks = async ({ namespaces }: Host): Promise<string> =>
  (await namespaces.isInUserNamespace()) ? ",userxattr" : "";
