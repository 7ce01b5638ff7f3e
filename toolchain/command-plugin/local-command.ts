import { spawn } from "node:child_process";
import { OutputCollector } from "./output-collector";
import { abortError, type CommandOutput, previousOutputEnvironment, type Step, stepFailure } from "./run-step";

/**
 * Runs a command on this host, with the environment of `pulumi` under its own. Being cancelled or out of time kills the
 * interpreter alone, never a process group: what the command started on purpose in the background lives on.
 */
export function runLocal(step: Step): Promise<CommandOutput> {
  const { inputs, context } = step;
  const [file = "/bin/sh", ...args] = inputs.interpreter;
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args, step.command], {
      cwd: inputs.dir,
      env: { ...process.env, ...previousOutputEnvironment(step), ...inputs.environment },
      signal: context.signal,
      killSignal: "SIGKILL",
    });
    const output = new OutputCollector(step, child.stdout, child.stderr);
    // A command that does not read its input ends the pipe early: no failure.
    child.stdin.on("error", () => undefined).end(inputs.stdin);
    child.on("error", (error) => reject(context.signal.aborted ? abortError(context) : error));
    child.on("close", (code, signal) => {
      const collected = output.finish();
      if (code === 0) resolve(collected);
      else reject(stepFailure(step, signal ? `signal: ${signal}` : `exit status ${code}`, output.interleaved()));
    });
  });
}
