import type { Command } from "commander";
import { sshWords, writeSshFiles } from "../../guests/ssh-files";
import { runAttached } from "../../host/foreground-commands";
import { guestPaths } from "../../model/guest-paths";
import { findNode } from "../../model/stack-outputs";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";

export function sshCommand(): Command {
  return stackCommand(
    "ssh <node> [command...]",
    "open a shell on a node as root, or run a command there; -- comes before a command with options",
  )
    .addHelpText(
      "after",
      `\nExample: npx groundplane ssh master-1 -- kubectl --kubeconfig ${guestPaths.adminKubeconfig} get nodes`,
    )
    .action(async (name: string, words: readonly string[], { stack }: StackOptions) => {
      const outputs = await readOutputs(stack);
      const node = findNode(outputs, name);
      const { config } = await writeSshFiles(stack, outputs);
      process.exitCode = await runAttached(sshWords(config, node.name, words));
    });
}
