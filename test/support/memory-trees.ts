import * as path from "node:path";
import { Readable, Writable } from "node:stream";
import type { HostTrees, TreeEntry } from "../../model/host-trees";
import type { MemoryFiles } from "./memory-files";

/** An implementation of `HostTrees` for the files in memory. A hard link is a copy. */
export function memoryTrees(files: MemoryFiles): HostTrees {
  let lastFolder = 0;
  const contentOf = (file: string): Buffer => {
    const content = files.entryOf(file)?.content;
    if (!content) throw Object.assign(new Error(`ENOENT: ${file}`), { code: "ENOENT" });
    return content;
  };
  const describe = (file: string, name: string): TreeEntry | undefined => {
    const found = files.entryOf(file);
    if (!found) return undefined;
    const { content, target, mode, modified } = found;
    const kind = target !== undefined ? "link" : content ? "file" : "folder";
    return { name, kind, mode: kind === "link" ? 0 : mode, bytes: content?.length ?? 0, modified, target };
  };
  /** Sorted folder by folder: `a/b` before `a-b`. */
  const namesBelow = (folder: string) =>
    files
      .names()
      .filter((name) => name.startsWith(path.posix.join(folder, "/")))
      .sort((a, b) => (a.replaceAll("/", "\0") < b.replaceAll("/", "\0") ? -1 : 1));
  const copyFile = (from: string, to: string, mode: number) => files.writeAtomic(to, contentOf(from), mode);
  const createFolder = async (folder: string, mode = 0o755): Promise<void> => {
    if (await files.exists(folder)) return;
    await createFolder(path.posix.dirname(folder), 0o777 & ~process.umask());
    await files.makeFolder(folder, mode);
  };
  return {
    entries: async (folder) =>
      namesBelow(folder).flatMap((file) => describe(file, path.posix.relative(folder, file)) ?? []),
    entry: async (file) => describe(file, ""),
    size: async (file) => contentOf(file).length,
    bytesOnDisk: async (target) =>
      [target, ...namesBelow(target)].reduce((sum, name) => sum + (files.entryOf(name)?.content?.length ?? 0), 0),
    freeBytes: async () => 2 ** 40,
    realPath: async (file) => file,
    createFolder,
    createFolderBeside: async (prefix) => {
      const folder = `${prefix}${++lastFolder}`;
      await createFolder(folder, 0o700);
      return folder;
    },
    link: async (target, at) => files.putLink(at, target),
    linkOrCopy: (from, to) => copyFile(from, to, files.modeOf(from) ?? 0o644),
    copyFile,
    copyFolder: async (from, to) => {
      for (const file of namesBelow(from).filter((name) => files.entryOf(name)?.content)) {
        await copyFile(file, path.posix.join(to, path.posix.relative(from, file)), files.modeOf(file) ?? 0o644);
      }
    },
    setMode: async (file, mode) => files.setMode(file, mode),
    readBytes: async (file, limit) => contentOf(file).subarray(0, limit),
    writeSparse: async (file, bytes, pieces) => {
      const content = Buffer.alloc(bytes);
      for (const [offset, piece] of pieces) piece.copy(content, offset);
      await files.writeAtomic(file, content);
    },
    openRead: (file) => Readable.from([contentOf(file)]),
    openWrite: (file, mode) => {
      const chunks: Buffer[] = [];
      return new Writable({
        write: (chunk: Buffer, _encoding, done) => done(void chunks.push(chunk) as undefined),
        final: (done) => void files.writeAtomic(file, Buffer.concat(chunks), mode).then(() => done(), done),
      });
    },
  };
}
