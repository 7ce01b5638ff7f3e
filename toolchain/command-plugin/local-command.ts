import { spawn } from "node:child_process";
import { OutputCollector } from "./output-collector";
import { abortError, type CommandOutput, previousOutputEnvironment, type Step, stepFailure } from "./run-step";

/**
 * Runs a command on this host; its environment extends that of `pulumi`. Cancel and timeout kill only the interpreter, not
 * the process group: background processes of the command continue.
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
    // A command that does not read its input closes the pipe early, which is no failure.
    child.stdin.on("error", () => undefined).end(inputs.stdin);
    child.on("error", (error) => reject(context.signal.aborted ? abortError(context) : error));
    child.on("close", (code, signal) => {
      const collected = output.finish();
      if (code === 0) resolve(collected);
      else reject(stepFailure(step, signal ? `signal: ${signal}` : `exit status ${code}`, output.interleaved()));
    });
  });
}
