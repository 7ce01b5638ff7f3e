import * as path from "node:path";
import { Argument, Command } from "commander";
import { projectFolder } from "../../host/project-folder";
import { completionScript, type Shell, shells } from "../completion/scripts";
import { renderSuggestions, suggest } from "../completion/suggest";
import { valuesOf } from "../completion/values";
import { print } from "../print";

export function completionCommand(): Command {
  return new Command("completion")
    .description("print what a shell needs to complete commands, options, stacks and nodes")
    .addArgument(new Argument("<shell>").choices(shells))
    .addHelpText(
      "after",
      [
        "",
        "Write the script to a file in this folder, and let the shell read the file:",
        "bash: npx groundplane completion bash > ~/.groundplane-completion.bash",
        "      source ~/.groundplane-completion.bash in ~/.bashrc",
        "zsh:  npx groundplane completion zsh > ~/.groundplane-completion.zsh",
        "      source ~/.groundplane-completion.zsh in ~/.zshrc, after compinit",
        "fish: npx groundplane completion fish > ~/.config/fish/conf.d/groundplane.fish",
        "",
        "The words follow `groundplane` or `npx groundplane`. The file names this folder: write it again after a move or an update.",
      ].join("\n"),
    )
    .action((shell: Shell) => print(completionScript(shell, path.join(projectFolder(), "cli", "groundplane.cjs"))));
}

/** What the scripts of the shells ask; hidden from users. A configuration that is wrong has no values. */
export function completeCommand(program: Command): Command {
  return new Command("complete")
    .argument("[words...]")
    .action(async (words: readonly string[]) =>
      print(renderSuggestions(await suggest(program, words, (...asked) => valuesOf(...asked).catch(() => [])))),
    );
}
