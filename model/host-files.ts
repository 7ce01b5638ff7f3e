/** Changes with a file's content; read without reading the file. */
export interface FileStamp {
  readonly bytes: number;
  /** ms since 1970 */
  readonly modified: number;
}

export interface HostFiles {
  /**
   * Writes a file so that a reader sees the old or the new content, never a part of it, even when this process dies.
   * Creates the folder when it is missing. Refuses devices and pipes.
   *
   * @param mode permissions of the file, also of one that existed; default 0644, 0600 for anything with a secret
   * @throws UserError `disk-full`; the file is unchanged then
   */
  writeAtomic(file: string, content: string | Buffer, mode?: number): Promise<void>;
  /** The file's text; `undefined` when it is missing. */
  readText(file: string): Promise<string | undefined>;
  /**
   * The file's JSON; `undefined` when it is missing.
   * @throws Error naming the file when its content is not valid JSON
   */
  readJson<T>(file: string): Promise<T | undefined>;
  /** Writes an indented JSON record atomically; default mode 0600. */
  writeJson(file: string, value: unknown, mode?: number): Promise<void>;
  /** Appends a line to a log that only its owner may read. Lines of several writers never mix. The folder must exist. */
  appendLine(file: string, line: string): Promise<void>;
  /** Names in a folder, sorted; empty when it is missing. */
  list(folder: string): Promise<readonly string[]>;
  /** Every file below a folder, as paths relative to it; symbolic links are not followed. */
  filesBelow(folder: string): Promise<readonly string[]>;
  /** Creates a folder and its parents; sets the mode of an existing one. Default mode 0755. */
  makeFolder(folder: string, mode?: number): Promise<void>;
  /**
   * Creates a folder that only this user can read, in a place where other users may have created one of its name.
   * @throws UserError `folder-not-ours`
   */
  makePrivateFolder(folder: string): Promise<void>;
  /** Creates a new folder of this user in the folder for temporary files. */
  makeTemporaryFolder(prefix: string): Promise<string>;
  /** Renames a file or folder in one step. */
  move(from: string, to: string): Promise<void>;
  /** Replaces a file by a copy of another one: a new inode, so that hard links to the old one stay unchanged. */
  replaceByCopy(from: string, to: string): Promise<void>;
  /** Does something have this name? Symbolic links are not followed. */
  exists(file: string): Promise<boolean>;
  /**
   * Removes a file or a folder with its content. Does nothing when it is missing.
   * @throws UserError `mount-below` when something is mounted in the folder; nothing is removed then
   */
  remove(target: string): Promise<void>;
  /** Removes a folder if it is empty. Returns whether it is gone. */
  removeIfEmpty(folder: string): Promise<boolean>;
  /** `undefined` when the file is missing. */
  stamp(file: string): Promise<FileStamp | undefined>;
  /** Makes a file read-only for everyone. */
  makeReadOnly(file: string): Promise<void>;
  /** sha256 of a file's content, hex. */
  digest(file: string): Promise<string>;
}

/** A device file of the kernel, and whether this user may use it. */
export type DeviceAccess = "usable" | "forbidden" | "absent";

/** Files of /proc, /sys and cgroup hierarchies: written in place and at once; they vanish with their object. */
export interface KernelFiles {
  /** The file's text without the final newline; `undefined` when it is missing. */
  read(file: string): Promise<string | undefined>;
  /** A file that is not text; `undefined` when it is missing. */
  readBytes(file: string): Promise<Buffer | undefined>;
  write(file: string, value: string): Promise<void>;
  /** Like `write`, for a setting that some kernels lack or refuse. Returns whether it was accepted. */
  tryWrite(file: string, value: string): Promise<boolean>;
  /** Folders directly below a kernel folder; empty when it is missing. */
  listFolders(folder: string): Promise<readonly string[]>;
  /** Is a namespace mounted on this file? A file whose namespace was unmounted is an ordinary empty file. */
  isNamespace(file: string): Promise<boolean>;
  /** Opens the device: containers show devices that their cgroup forbids. */
  deviceAccess(file: string): Promise<DeviceAccess>;
}
