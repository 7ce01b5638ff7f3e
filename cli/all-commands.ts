import { Command } from "commander";
import { version } from "../package.json";
import { backupCommand } from "./commands/backup";
import { bundleCommand } from "./commands/bundle";
import { completeCommand, completionCommand } from "./commands/completion";
import { destroyCommand } from "./commands/destroy";
import { diagramCommand } from "./commands/diagram";
import { doctorCommand } from "./commands/doctor";
import { envCommand } from "./commands/env";
import { explainCommand } from "./commands/explain";
import { fenceCommand } from "./commands/fence";
import { imageCommand } from "./commands/image";
import { kubeconfigCommand } from "./commands/kubeconfig";
import { logsCommand } from "./commands/logs";
import { partCommand } from "./commands/part";
import { previewCommand } from "./commands/preview";
import { pruneCommand } from "./commands/prune";
import { renderCommand } from "./commands/render";
import { bugReportCommand } from "./commands/report";
import { restoreCommand } from "./commands/restore";
import { snapshotCommand } from "./commands/snapshot";
import { sshCommand } from "./commands/ssh";
import { startCommand } from "./commands/start";
import { statusCommand } from "./commands/status";
import { stopCommand } from "./commands/stop";
import { verifyCommand } from "./commands/verify";
import { viewCommand } from "./commands/view";

/** In the order in which the help lists them. */
const commands = [
  startCommand,
  ...[doctorCommand, envCommand, imageCommand, partCommand, bundleCommand],
  ...[renderCommand, diagramCommand, previewCommand],
  ...[statusCommand, viewCommand, kubeconfigCommand, sshCommand, logsCommand],
  ...[verifyCommand, backupCommand, restoreCommand, snapshotCommand],
  ...[fenceCommand, stopCommand, destroyCommand, pruneCommand, bugReportCommand],
  completionCommand,
];

/** The program with all of its commands. */
export function groundplaneCommand(): Command {
  const groundplane = new Command("groundplane")
    .description("A highly available Kubernetes data centre on your own machine")
    .version(version, "--version", "print the version of groundplane");
  for (const create of commands) groundplane.addCommand(create());
  groundplane.addCommand(explainCommand(() => groundplane));
  groundplane.addCommand(completeCommand(groundplane), { hidden: true });
  return groundplane;
}
