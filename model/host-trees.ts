/** One object below a folder. */
export interface TreeEntry {
  /** Relative to the folder. */
  readonly name: string;
  readonly kind: "file" | "link" | "folder" | "other";
  /** Permission bits; 0 for links. */
  readonly mode: number;
  readonly bytes: number;
  /** ms since 1970 */
  readonly modified: number;
  /** What a symbolic link contains. */
  readonly target?: string;
}

/**
 * Whole trees of files with their modes and links, and files that are too large for memory: what images are built from.
 * Modes that are given apply exactly, whatever the umask is.
 */
export interface HostTrees {
  /** Every object below a folder, parents first, sorted by name; symbolic links are not followed. */
  entries(folder: string): Promise<readonly TreeEntry[]>;
  /** One object, symbolic links not followed; its `name` is empty. `undefined` when it is missing. */
  entry(file: string): Promise<TreeEntry | undefined>;
  /** Bytes of a file. @throws ErrnoException when it is missing */
  size(file: string): Promise<number>;
  /** Bytes that a file or folder occupies on the disk: holes do not count, hard links count once. 0 when it is missing. */
  bytesOnDisk(target: string): Promise<number>;
  /** Free bytes for this user where a file or folder is, or would be. */
  freeBytes(target: string): Promise<number>;
  /** The path without symbolic links. */
  realPath(file: string): Promise<string>;
  /**
   * Creates a folder with the mode, by default 0755; leaves an existing one as it is. Missing parents are created as the
   * user's umask says: they may be folders of the user such as ~/.local/share.
   */
  createFolder(folder: string, mode?: number): Promise<void>;
  /** Creates a new folder of this user whose path begins with the prefix. */
  createFolderBeside(prefix: string): Promise<string>;
  /** Creates a symbolic link. Its folder must exist. */
  link(target: string, at: string): Promise<void>;
  /** Gives a file a second name. Copies it where that is impossible, as between file systems. */
  linkOrCopy(from: string, to: string): Promise<void>;
  copyFile(from: string, to: string, mode: number): Promise<void>;
  /** Copies a folder with its content into another one, which may exist. */
  copyFolder(from: string, to: string): Promise<void>;
  setMode(file: string, mode: number): Promise<void>;
  /** The content of a file, at most the first `limit` bytes. */
  readBytes(file: string, limit?: number): Promise<Buffer>;
  /** Writes a file of a given size that contains these bytes at these offsets; the rest is holes. */
  writeSparse(file: string, bytes: number, pieces: readonly (readonly [offset: number, Buffer])[]): Promise<void>;
  openRead(file: string): NodeJS.ReadableStream;
  /** Default mode 0644. */
  openWrite(file: string, mode?: number): NodeJS.WritableStream;
}
