import type { Command } from "commander";
import { runAttached } from "../../provider/host/run-attached";
import { type StackOptions, stackCommand } from "../options";
import { writeSshFiles } from "../ssh-files";
import { findNode, readStackOutputs } from "../stack-outputs";

export function sshCommand(): Command {
  return stackCommand("ssh <node> [command...]", "open a shell on a node as root, or run a command there")
    .passThroughOptions()
    .addHelpText("after", "\nExample: groundplane ssh master-1 -- kubectl get nodes")
    .action(async (name: string, words: readonly string[], { stack }: StackOptions) => {
      const outputs = await readStackOutputs(stack);
      const node = findNode(outputs, name);
      const { config } = await writeSshFiles(stack, outputs);
      process.exitCode = await runAttached(sshWords(config, node.name, words));
    });
}

/** The command line of the system's ssh. A dash-dash that divides our own words from the command's is not its own. */
export function sshWords(config: string, node: string, words: readonly string[]): readonly string[] {
  const command = words[0] === "--" ? words.slice(1) : words;
  return ["ssh", "-F", config, node, ...(command.length > 0 ? ["--", ...command] : [])];
}
