import * as path from "node:path";
import { exists } from "../../host/file-store";
import { UserError } from "../../host/user-error";

/** Where VBoxManage may be, pure: what is named expressly comes first and alone. */
export function binaryCandidates(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
): readonly string[] {
  const chosen = env.GROUNDPLANE_VBOXMANAGE;
  if (chosen) return [chosen];
  const { join, delimiter } = platform === "win32" ? path.win32 : path.posix;
  const program = platform === "win32" ? "VBoxManage.exe" : "VBoxManage";
  const searched = (env.PATH ?? env.Path ?? "").split(delimiter).filter((folder) => folder !== "");
  const windows = [env.VBOX_MSI_INSTALL_PATH, env.VBOX_INSTALL_PATH].filter((folder) => folder !== undefined);
  return [
    // The program itself: what Debian has on the PATH is a shell script around it that removes sockets of a VBoxSVC.
    ...(platform === "linux" ? ["/usr/lib/virtualbox/VBoxManage"] : []),
    ...searched.map((folder) => join(folder, program)),
    ...(platform === "darwin" ? ["/Applications/VirtualBox.app/Contents/MacOS/VBoxManage"] : []),
    ...(platform === "win32" ? windows.map((folder) => join(folder, program)) : []),
  ];
}

/** The first VBoxManage that is there; `undefined` when VirtualBox is not installed. */
export async function findVBoxManage(): Promise<string | undefined> {
  for (const candidate of binaryCandidates(process.env, process.platform)) {
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}

export const virtualBoxMissing = (): UserError =>
  new UserError(
    "virtualbox-missing",
    "VirtualBox is not installed: VBoxManage is nowhere to be found",
    "install VirtualBox 7.1 or newer (virtualbox.org), or name its program in GROUNDPLANE_VBOXMANAGE",
  );
