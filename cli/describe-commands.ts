import type { Command } from "commander";
import type { ExplainedCommand } from "../explain/explanation";

/** Every command and every command of a group, as its help shows it. */
export function describeCommands(program: Command, prefix = ""): readonly ExplainedCommand[] {
  const help = program.createHelp();
  return help.visibleCommands(program).flatMap((command) => {
    if (command.name() === "help") return [];
    const name = `${prefix}${command.name()}`;
    const own: ExplainedCommand = {
      name,
      description: command.description(),
      usage: command.commands.length > 0 && command.registeredArguments.length === 0 ? "<command>" : command.usage(),
      options: command.options.map(({ flags, description }) => [flags, description] as const),
    };
    return [own, ...describeCommands(command, `${name} `)];
  });
}
