import { inspect } from "node:util";
import { type Command, CommanderError } from "commander";
import { closeDataFolder } from "../host/data-folder";
import { refuseNewerData, refuseNewerState } from "../host/data-version";
import { fileError } from "../host/file-errors";
import { prepareEnvironment } from "../host/prepare-environment.cjs";
import { defaultStack, forStack } from "../model/next-step";
import { UserError, withoutCredentials } from "../model/user-error";
import { chooseBackend } from "../toolchain/pulumi-environment";
import { groundplaneCommand } from "./all-commands";
import { painterFor } from "./colours";

/** Exit codes: 0 success, 1 failure or an unhealthy stack, 2 a wrong command line. */
async function main(): Promise<void> {
  prepareEnvironment();
  await closeDataFolder();
  const groundplane = groundplaneCommand();
  overrideExit(groundplane);
  groundplane.hook("preAction", async (_groundplane, command) => {
    const named = command.optsWithGlobals<{ readonly stack?: string }>().stack;
    stack = named ?? defaultStack;
    await refuseNewerData();
    if (named !== undefined && (await chooseBackend()).kind === "local") await refuseNewerState(named);
  });
  await groundplane.parseAsync();
}

/** The stack of the command that runs, for its messages. */
let stack = defaultStack;

/** Makes a wrong command line throw, so that one place decides about exit codes. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
}

/**
 * A reader that has enough, such as `head`, closes the pipe. Without a listener the process would end with a stack trace.
 */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  console.error(`error: the output cannot be written: ${error.message}\n  next step: write it elsewhere`);
  process.exit(1);
}

process.stdout.on("error", endWithReader);
// There is nowhere to report its own failure.
process.stderr.on("error", () => undefined);

main().catch((error: unknown) => {
  process.exitCode = describeFailure(error);
});

/** Prints the error: the user's problems without a stack trace, ours with one. Returns the exit code. */
function describeFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof UserError ? error : fileError(error);
  const paint = painterFor(process.stderr);
  if (known) console.error(`${paint("bad", "error:")} ${forStack(known.message, stack)}`);
  else console.error(paint("bad", "internal error, please report it:"), withoutCredentials(inspect(error)));
  return 1;
}
