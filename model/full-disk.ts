import { UserError } from "./user-error";

/** Whether a program or a file system reports a full disk. An error that already names the disk for the user does not count. */
export function isFullDisk(error: unknown): error is Error {
  if (!(error instanceof Error) || (error instanceof UserError && error.id === "disk-full")) return false;
  return (
    (error as NodeJS.ErrnoException).code === "ENOSPC" ||
    /no space left on device|disk quota exceeded/i.test(error.message)
  );
}
