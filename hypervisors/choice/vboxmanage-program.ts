import * as path from "node:path";
import type { Host } from "../../model/host";

/** Where VBoxManage may be, best first, pure. What is named expressly is the only one. */
export function vboxManageCandidates(
  environment: Readonly<Record<string, string | undefined>>,
  platform: string,
): readonly string[] {
  const chosen = environment.GROUNDPLANE_VBOXMANAGE;
  if (chosen) return [chosen];
  const { join, delimiter, isAbsolute } = platform === "win32" ? path.win32 : path.posix;
  const program = platform === "win32" ? "VBoxManage.exe" : "VBoxManage";
  const searched = (environment.PATH ?? environment.Path ?? "").split(delimiter).filter(isAbsolute);
  return [...unsearched(platform, environment), ...searched].map((folder) => join(folder, program));
}

/** Folders that installers use without adding them to the PATH. */
function unsearched(platform: string, environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  // What Linux has on the PATH is a shell script around the program, which removes sockets of a VBoxSVC it cannot see.
  if (platform === "linux") return ["/usr/lib/virtualbox", "/opt/VirtualBox"];
  if (platform === "darwin") return ["/Applications/VirtualBox.app/Contents/MacOS"];
  if (platform !== "win32") return [];
  const { VBOX_MSI_INSTALL_PATH, VBOX_INSTALL_PATH, ProgramFiles } = environment;
  const standard = ProgramFiles && path.win32.join(ProgramFiles, "Oracle", "VirtualBox");
  return [VBOX_MSI_INSTALL_PATH, VBOX_INSTALL_PATH, standard].filter(
    (folder) => folder !== undefined && folder !== "",
  ) as string[];
}

/** The first VBoxManage that is there; `undefined` when VirtualBox is not installed. Some files are looked for, no more. */
export async function findVBoxManage(host: Host): Promise<string | undefined> {
  for (const candidate of vboxManageCandidates(host.facts.env, host.facts.platform)) {
    if (await host.files.exists(candidate)) return candidate;
  }
  return undefined;
}
