import { type GuestCommand, guestCommand } from "../model/guest-paths";
import type { TextFile } from "./role-content";
import { script } from "./scripts/read-script";

/** A script of cloud-init/scripts/ that becomes a command in the guest, e.g. `gateway/role-ready`. */
export type CommandScript =
  `${"backup" | "balancer" | "common" | "docker" | "etcd" | "etcd-services" | "external-etcd" | "gateway" | "kubernetes" | "services" | "storage"}/${GuestCommand}`;

const commands = new Map<string, TextFile>();

/**
 * The command as a file of the seed. A running node follows changes of its source.
 *
 * @param values what stands for `@name@` in the script, from our own tables
 */
export function commandFile(scriptName: CommandScript, values: Readonly<Record<string, string>> = {}): TextFile {
  const key = JSON.stringify([scriptName, values]);
  const command = commands.get(key) ?? makeCommand(scriptName, values);
  commands.set(key, command);
  return command;
}

/**
 * A command some of whose functions are those of another script.
 *
 * @throws Error when the command has no such function
 */
export function commandWith(scriptName: CommandScript, functionsOf: CommandScript): TextFile {
  const command = commandFile(scriptName);
  const definition = /^(\w+\(\)) \{(?:.*\}\n|\n[\s\S]*?^\}\n)/gm;
  const own = [...script(functionsOf).matchAll(definition)];
  const content = own.reduce((text, [replacement, name = ""]) => {
    const former = [...text.matchAll(definition)].find(([, each]) => each === name)?.[0];
    if (former === undefined) throw new Error(`${scriptName} has no function ${name}`);
    return text.replace(former, () => replacement);
  }, command.content);
  return { ...command, content };
}

function makeCommand(scriptName: CommandScript, values: Readonly<Record<string, string>>): TextFile {
  const name = scriptName.slice(scriptName.lastIndexOf("/") + 1) as GuestCommand;
  const content = Object.entries(values).reduce(
    (text, [placeholder, value]) => text.replaceAll(`@${placeholder}@`, () => value),
    script(scriptName),
  );
  return { path: guestCommand(name), mode: "0755", content, changes: { reload: "" } };
}
