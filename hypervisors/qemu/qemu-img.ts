import { CommandError } from "../../model/commands";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { describeDisk } from "./commands";

/** Output of `qemu-img info` for a qcow2 file. */
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

/** A killed driver process leaves its `qemu-img` running, which ends within moments. */
const LOCK_ATTEMPTS = 20;
const LOCK_WAIT_MS = 250;

/**
 * Creates a disk file under another name first, so that a file with the final name is always complete. Waits while the
 * `qemu-img` of an interrupted creation still locks that name.
 *
 * @param create argv that creates the given file
 */
export async function createDiskFile(
  host: Host,
  file: string,
  create: (partial: string) => readonly string[],
): Promise<void> {
  const partial = `${file}.partial`;
  for (let attempt = 1; ; attempt++) {
    await host.files.remove(partial);
    try {
      await runQemuImg(host, create(partial));
      break;
    } catch (error) {
      const isLocked = error instanceof CommandError && /Failed to (?:get .* lock|lock byte)/.test(error.stderr);
      if (!isLocked || attempt === LOCK_ATTEMPTS) throw error;
      await host.clock.sleep(LOCK_WAIT_MS);
    }
  }
  await host.trees.setMode(partial, 0o600);
  await host.files.move(partial, file);
}

/** Inspects a qcow2 file, even while a running machine writes to it. */
export async function inspectDiskFile(host: Host, file: string): Promise<DiskInfo> {
  return JSON.parse(await runQemuImg(host, describeDisk(file))) as DiskInfo;
}
