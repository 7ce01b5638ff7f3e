import { guestCommandFolder, type TextFile } from "./role-content";
import { script } from "./scripts/read-script";

/**
 * A script of cloud-init/scripts/read-script/ as a command in the guest: `gateway/role-ready` becomes
 * `/usr/local/lib/groundplane/role-ready`. It follows its source while the node lives.
 */
export function guestCommand(scriptName: string): TextFile {
  const command = commands.get(scriptName) ?? makeCommand(scriptName);
  commands.set(scriptName, command);
  return command;
}

const commands = new Map<string, TextFile>();

function makeCommand(scriptName: string): TextFile {
  const name = scriptName.slice(scriptName.lastIndexOf("/") + 1);
  return { path: `${guestCommandFolder}/${name}`, mode: "0755", content: script(scriptName), changes: { reload: "" } };
}
