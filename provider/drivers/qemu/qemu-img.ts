import { CommandError, runCommand } from "../../host/run-command";
import { UserError } from "../../host/user-error";
import { describeDisk } from "./commands";

/** What `qemu-img info` says of a qcow2 file. */
export interface DiskInfo {
  readonly "virtual-size": number;
  readonly "full-backing-filename"?: string;
  readonly snapshots?: readonly { readonly name: string; readonly "vm-state-size": number }[];
}

/**
 * Runs `qemu-img` on a file.
 * @throws UserError `disk-full`, `qemu-missing`, `command-failed`
 */
export async function runQemuImg(argv: readonly string[], file: string): Promise<string> {
  try {
    return (await runCommand(argv)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (/no space left on device|disk quota exceeded/i.test(error.stderr)) {
      throw new UserError(
        "disk-full",
        `the disk that holds ${file} is full`,
        "free some space there, or choose another place with GROUNDPLANE_DATA, and run the same command again",
        { cause: error },
      );
    }
    if (error.exitCode === null && /cannot be started/.test(error.problem)) {
      throw new UserError("qemu-missing", `${argv[0]} is not installed`, "apt-get install qemu-utils", {
        cause: error,
      });
    }
    throw error;
  }
}

/** Reads a qcow2 file, also one that a running machine writes to. */
export async function inspectDiskFile(file: string): Promise<DiskInfo> {
  return JSON.parse(await runQemuImg(describeDisk(file), file)) as DiskInfo;
}
