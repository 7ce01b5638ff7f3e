import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { completeCommand, completionCommand } from "../../../cli/commands/completion";
import { diagramCommand } from "../../../cli/commands/diagram";
import { imageCommand } from "../../../cli/commands/image";
import { renderCommand } from "../../../cli/commands/render";
import { sshCommand } from "../../../cli/commands/ssh";
import { statusCommand } from "../../../cli/commands/status";
import { verifyCommand } from "../../../cli/commands/verify";
import { completionScript, shells } from "../../../cli/completion/scripts";
import { renderSuggestions, suggest } from "../../../cli/completion/suggest";
import { valuesOf } from "../../../cli/completion/values";

const program = new Command("groundplane");
for (const create of [diagramCommand, imageCommand, renderCommand, sshCommand, statusCommand, verifyCommand])
  program.addCommand(create());
program.addCommand(completionCommand());
program.addCommand(completeCommand(program), { hidden: true });

async function words(...line: readonly string[]): Promise<readonly string[] | string> {
  const found = await suggest(program, line, valuesOf);
  return typeof found === "string" ? found : found.map(({ word }) => word);
}

test("commands complete with their descriptions, also those of a group; hidden ones do not", async () => {
  assert.deepEqual(await words("s"), ["ssh", "status"]);
  assert.deepEqual(await words("compl"), ["completion"]);
  assert.deepEqual(await words("image", ""), ["build", "update", "list", "push"]);
  assert.match(renderSuggestions(await suggest(program, ["di"], valuesOf)), /^diagram\tdraw the data centre/);
});

test("options complete once, and their values where there is a list", async () => {
  assert.deepEqual(await words("status", "--"), ["--stack", "--json", "--watch", "--help"]);
  assert.deepEqual(await words("status", "--json", "--s"), ["--stack"]);
  assert.deepEqual(await words("status", "--json", "--j"), []);
  assert.deepEqual(await words("diagram", "--format", "m"), ["mermaid"]);
  assert.deepEqual(await words("completion", ""), [...shells]);
});

test("stacks and nodes complete as values, from the configuration", async () => {
  assert.ok((await words("status", "--stack", "")).includes("lab"));
  assert.deepEqual(await words("status", "--stack", "prod"), ["production"]);
  assert.deepEqual(await words("status", "--stack=prod"), ["--stack=production"]);
  assert.deepEqual(await words("status", "--stack", "=", "prod"), ["production"], "as Bash divides the word");
  assert.deepEqual(await words("status", "--stack", "="), await words("status", "--stack", ""));
  assert.deepEqual(await words("ssh", "bal"), ["balancer-1", "balancer-2"]);
  assert.ok((await words("ssh", "--stack", "production", "storage")).includes("storage-3"));
  assert.deepEqual(await words("ssh", "master-1", ""), [], "the words of a command are not ours");
});

test("the shell completes files and folders", async () => {
  assert.equal(await words("verify", "--json", ""), "files");
  assert.equal(await words("render", "--out", "x"), "folders");
  assert.equal(renderSuggestions("files"), ":files");
});

test("each script asks the program by its path, which may hold any character", () => {
  for (const shell of shells) {
    const script = completionScript(shell, "/home/o'neil/cli/groundplane.cjs");
    assert.ok(script.includes("node '/home/o'\\''neil/cli/groundplane.cjs' complete -- "), shell);
  }
});
