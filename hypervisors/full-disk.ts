import { isFullDisk } from "../model/full-disk";
import { UserError } from "../model/user-error";

/**
 * Runs an action that writes below a folder, and turns every form of "no space left" into one error.
 * @throws UserError `disk-full`, and everything else that `action` throws
 */
export async function namingFullDisk<T>(where: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!isFullDisk(error)) throw error;
    throw new UserError(
      "disk-full",
      `the disk that holds ${where} is full`,
      "free some space there, or choose another place with GROUNDPLANE_DATA, and run the same command again",
      { cause: error },
    );
  }
}
