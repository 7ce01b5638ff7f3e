import { UserError } from "../model/user-error";
import { nameOfTemporary } from "./temporary-files";

interface Meaning {
  readonly id: string;
  readonly problem: (file: string) => string;
  readonly hint: string;
}

const full: Meaning = {
  id: "disk-full",
  problem: (file) => `the disk is full: ${file} cannot be written`,
  hint: "free space on the disk that holds it, then run the command again",
};
const closed: Meaning = {
  id: "no-access",
  problem: (file) => `this user may not access ${file}`,
  hint: "run the command as the owner of it, or use a folder of your own (GROUNDPLANE_DATA, a clone of your own)",
};
const tooManyFiles: Meaning = {
  id: "too-many-files",
  problem: (file) => `too many files are open: ${file} cannot be opened`,
  hint: "raise the limit, e.g. `ulimit -n 65536`, then run the command again",
};

/** What the answers of the operating system to file operations mean for users, and what they can do. */
const meanings: Readonly<Record<string, Meaning>> = {
  ENOSPC: full,
  EDQUOT: full,
  EROFS: {
    id: "read-only",
    problem: (file) => `${file} cannot be written: its file system is mounted read-only`,
    hint: "mount it for writing, or use another folder (GROUNDPLANE_DATA, another clone)",
  },
  EACCES: closed,
  EPERM: closed,
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
};

export const diskFull = (file: string): UserError => new UserError(full.id, full.problem(file), full.hint);

/** Of programs and sockets, these answers mean something else. */
const isFileOperation = ({ syscall, path }: NodeJS.ErrnoException): boolean =>
  path !== undefined ? !/^(?:spawn|connect|bind|listen)/.test(syscall ?? "") : syscall === "write";

/** The error of a file operation as a problem with its next step; `undefined` for any other error. */
export function fileError(error: unknown): UserError | undefined {
  const { code = "", path: file } = (error ?? {}) as NodeJS.ErrnoException;
  const meaning = meanings[code];
  if (meaning === undefined || !isFileOperation(error as NodeJS.ErrnoException)) return undefined;
  // A temporary file is the file that it becomes.
  const name = file === undefined ? "the output" : nameOfTemporary(file);
  return new UserError(meaning.id, meaning.problem(name), meaning.hint, { cause: error });
}
