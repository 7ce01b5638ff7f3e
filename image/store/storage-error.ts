import { UserError } from "../../model/user-error";

/** Says in words what programs and the file system say when there is no room left; other errors are given back. */
export function asStorageError(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || (error instanceof UserError && error.id === "disk-full")) return error;
  const full =
    (error as NodeJS.ErrnoException).code === "ENOSPC" ||
    /no space left on device|disk quota exceeded/i.test(error.message);
  if (!full) return error;
  return new UserError(
    "disk-full",
    `the disk that holds ${where} is full`,
    "free about 5 GB there, or choose another place with GROUNDPLANE_DATA, and run the same command again",
    { cause: error },
  );
}
