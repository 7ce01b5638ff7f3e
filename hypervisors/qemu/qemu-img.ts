import { CommandError } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { describeDisk } from "./commands";

/** What `qemu-img info` says of a qcow2 file. */
export interface DiskInfo {
  readonly "virtual-size": number;
  readonly "full-backing-filename"?: string;
  readonly snapshots?: readonly { readonly name: string; readonly "vm-state-size": number }[];
}

/**
 * Runs `qemu-img`.
 * @throws UserError `qemu-missing`, `command-failed`
 */
export async function runQemuImg(host: Host, argv: readonly string[]): Promise<string> {
  try {
    return (await host.run(argv)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError) || !/cannot be started/.test(error.problem)) throw error;
    throw new UserError("qemu-missing", `${argv[0]} is not installed`, "apt-get install qemu-utils", { cause: error });
  }
}

/** Reads a qcow2 file, also one that a running machine writes to. */
export async function inspectDiskFile(host: Host, file: string): Promise<DiskInfo> {
  return JSON.parse(await runQemuImg(host, describeDisk(file))) as DiskInfo;
}
