import { Command, CommanderError } from "commander";
import { exemptLoopback } from "../host/exempt-loopback.cjs";
import { UserError } from "../model/user-error";
import { bundleCommand } from "./commands/bundle";
import { destroyCommand } from "./commands/destroy";
import { diagramCommand } from "./commands/diagram";
import { doctorCommand } from "./commands/doctor";
import { envCommand } from "./commands/env";
import { imageCommand } from "./commands/image";
import { kubeconfigCommand } from "./commands/kubeconfig";
import { logsCommand } from "./commands/logs";
import { previewCommand } from "./commands/preview";
import { renderCommand } from "./commands/render";
import { sshCommand } from "./commands/ssh";
import { startCommand } from "./commands/start";
import { statusCommand } from "./commands/status";
import { stopCommand } from "./commands/stop";
import { verifyCommand } from "./commands/verify";

/** Exit codes: 0 done, 1 it failed or is not as it should be, 2 the command line is wrong. */
async function main(): Promise<void> {
  exemptLoopback();
  const groundplane = new Command("groundplane").description(
    "A highly available Kubernetes data centre on your own machine",
  );
  for (const create of commands) groundplane.addCommand(create());
  overrideExit(groundplane);
  await groundplane.parseAsync();
}

const commands = [
  startCommand,
  ...[doctorCommand, envCommand, imageCommand, bundleCommand],
  ...[renderCommand, diagramCommand, previewCommand],
  ...[statusCommand, kubeconfigCommand, sshCommand, logsCommand],
  verifyCommand,
  ...[stopCommand, destroyCommand],
];

/** A wrong command line becomes an error that is thrown, so that all exit codes are decided in one place. */
function overrideExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
}

main().catch((error: unknown) => {
  process.exitCode = describeFailure(error);
});

/** Says what went wrong, in the way that helps: the user's problems without a stack, ours with one. */
function describeFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UserError) console.error(`error: ${error.message}`);
  else console.error("this is a fault of groundplane:", error);
  return 1;
}
