import * as path from "node:path";
import { writeFileAtomic } from "../host/file-store";
import { packageLockTextOf, writePackageLockText } from "../host/package-lock-file";
import type { BundleManifest } from "../image/parts/bundle-manifest";
import { packageLockFile } from "../model/package-lock";

/** Files of locks in this checkout, and copies beside the bundle. */
export interface LockFiles {
  read(stack: string): Promise<string | undefined>;
  write(stack: string, text: string): Promise<void>;
  writeCopy(file: string, text: string): Promise<void>;
}

const ofCheckout: LockFiles = { read: packageLockTextOf, write: writePackageLockText, writeCopy: writeFileAtomic };

/**
 * Gives stacks of this checkout the package locks of a loaded bundle, without which its images do not have the names that the stacks
 * look for. A lock that is here already stays.
 * @param folder of the loaded bundle
 * @returns a sentence for each lock that was written or differs
 */
export async function placeLocks(
  { packageLocks = {} }: Pick<BundleManifest, "packageLocks">,
  folder: string,
  files: LockFiles = ofCheckout,
): Promise<readonly string[]> {
  const told = [];
  for (const [stack, text] of Object.entries(packageLocks)) {
    const [place, copy] = [packageLockFile(stack), path.join(folder, path.basename(packageLockFile(stack)))];
    await files.writeCopy(copy, text);
    const here = await files.read(stack);
    if (here === text) continue;
    if (here === undefined) await files.write(stack, text);
    told.push(
      here === undefined
        ? `${place} was written: the images of the stack ${stack} are those of the bundle`
        : `${place} stays and differs from that of the bundle, whose images it does not select; \`cp ${copy} ${place}\` replaces it`,
    );
  }
  return told;
}
