import type { Properties } from "../../provider/rpc/property-values";
import type { Context } from "../../provider/rpc/resource-handler";
import type { CommandInputs } from "./command-inputs";

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of one command text. */
export interface Step {
  readonly command: string;
  readonly inputs: CommandInputs;
  /** The output of the resource's last run; absent on create. */
  readonly previous?: CommandOutput;
  readonly context: Context;
}

/** Runs a step to its end. `properties` are those of the resource, e.g. for the connection. */
export type RunStep = (step: Step, properties: Properties) => Promise<CommandOutput>;

/** The last run's output as the next run sees it. */
export function previousOutputEnvironment(step: Step): Record<string, string> {
  if (!step.previous || !step.inputs.addPreviousOutputInEnv) return {};
  const { stdout, stderr } = step.previous;
  return {
    ...(stdout ? { PULUMI_COMMAND_STDOUT: stdout } : {}),
    ...(stderr ? { PULUMI_COMMAND_STDERR: stderr } : {}),
  };
}

/** With `logging: "none"` the error repeats neither the command nor its output: either may hold a secret. */
export function stepFailure(step: Step, reason: string, output: string): Error {
  if (step.inputs.logging === "none") return new Error(`${reason} (its output is not shown: logging is "none")`);
  return new Error(`${reason}: running ${JSON.stringify(step.command)}:\n${output}`);
}

/** Why a step was stopped from outside. */
export function abortError(context: Context): Error {
  const timedOut = context.signal.reason instanceof DOMException && context.signal.reason.name === "TimeoutError";
  return new Error(timedOut ? `stopped: not finished within ${context.timeoutSeconds} s` : "cancelled");
}
