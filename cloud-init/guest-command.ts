import { type GuestCommand, guestCommand } from "../model/guest-paths";
import type { TextFile } from "./role-content";
import { script } from "./scripts/read-script";

/** A script of cloud-init/scripts/ that becomes a command in the guest, e.g. `gateway/role-ready`. */
export type CommandScript = `${"balancer" | "common" | "gateway" | "kubernetes" | "storage"}/${GuestCommand}`;

const commands = new Map<CommandScript, TextFile>();

/** The command as a file of the seed. A running node follows changes of its source. */
export function commandFile(scriptName: CommandScript): TextFile {
  const command = commands.get(scriptName) ?? makeCommand(scriptName);
  commands.set(scriptName, command);
  return command;
}

function makeCommand(scriptName: CommandScript): TextFile {
  const name = scriptName.slice(scriptName.lastIndexOf("/") + 1) as GuestCommand;
  return { path: guestCommand(name), mode: "0755", content: script(scriptName), changes: { reload: "" } };
}
