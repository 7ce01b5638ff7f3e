import * as path from "node:path";
import type { Host } from "../../model/host";

/** Possible paths of VBoxManage, best first. A path that the user names is the only one. Pure. */
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
  // On Linux, the PATH has a wrapper script that removes sockets of a VBoxSVC that it cannot see.
  if (platform === "linux") return ["/usr/lib/virtualbox", "/opt/VirtualBox"];
  if (platform === "darwin") return ["/Applications/VirtualBox.app/Contents/MacOS"];
  if (platform !== "win32") return [];
  const { VBOX_MSI_INSTALL_PATH, VBOX_INSTALL_PATH, ProgramFiles } = environment;
  const standard = ProgramFiles && path.win32.join(ProgramFiles, "Oracle", "VirtualBox");
  return [VBOX_MSI_INSTALL_PATH, VBOX_INSTALL_PATH, standard].filter(
    (folder) => folder !== undefined && folder !== "",
  ) as string[];
}

/** The first VBoxManage that exists; `undefined` when VirtualBox is not installed. Only checks for files. */
export async function findVBoxManage(host: Host): Promise<string | undefined> {
  for (const candidate of vboxManageCandidates(host.facts.env, host.facts.platform)) {
    // A folder on PATH may be closed to this user.
    if (await host.files.exists(candidate).catch(() => false)) return candidate;
  }
  return undefined;
}
