import type { Command } from "commander";
import { writeSshFiles } from "../../guests/ssh-files";
import { runAttached } from "../../host/foreground-commands";
import { findNode } from "../../model/stack-outputs";
import { driverOf } from "../driver";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { say } from "../print";

export function logsCommand(): Command {
  return stackCommand("logs <node>", "show a node's journal since its boot, and where its console is recorded")
    .option("-f, --follow", "follow the journal")
    .action(async (name: string, { stack, follow }: StackOptions & { readonly follow?: boolean }) => {
      const outputs = await readOutputs(stack);
      const node = findNode(outputs, name);
      const hypervisor = await driverOf(stack);
      const consoleLog = hypervisor.consoleLog?.consoleLogPath({ stack, name: node.name });
      if (consoleLog) say(`console: ${consoleLog}`);
      const { config } = await writeSshFiles(stack, outputs);
      const journal = `journalctl --boot --no-pager${follow ? " --follow" : ""}`;
      process.exitCode = await runAttached(["ssh", "-F", config, node.name, "--", journal]);
    });
}
