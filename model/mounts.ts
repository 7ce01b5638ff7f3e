import { UserError } from "./user-error";

/**
 * The mount points at a folder and below it, in the order of the kernel's list. A removal of the folder would remove what is
 * mounted there: another file system, or a folder of the host.
 * @param mountinfo /proc/self/mountinfo; the fifth field of a line is its mount point, with special characters in octal
 * @param folder without symbolic links
 */
export function mountsBelow(mountinfo: string, folder: string): readonly string[] {
  return mountinfo
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((mountPoint) => mountPoint === folder || mountPoint.startsWith(`${folder}/`));
}

/** Why a folder with mounts is not removed. */
export function mountsRemain(folder: string, mounts: readonly string[]): UserError {
  const commands = [...mounts].reverse().map((mountPoint) => `umount '${mountPoint.replaceAll("'", "'\\''")}'`);
  return new UserError(
    "mount-below",
    `${folder} is not removed, because something is mounted in it: ${mounts.join(", ")}`,
    `if no program needs it: ${commands.join(" && ")}; then run the command again`,
  );
}
