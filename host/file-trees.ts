import * as fs from "node:fs";
import * as files from "node:fs/promises";
import * as path from "node:path";
import type { HostTrees, TreeEntry } from "../model/host-trees";
import { createFolders } from "./data-folder";
import { bytesOnDisk } from "./disk-usage";
import { exists } from "./file-store";
import { freeBytes } from "./host-capacity";

/** Synchronous, because that is several times faster for tens of thousands of objects. */
function entriesBelow(folder: string, below: string, found: TreeEntry[]): void {
  const names = fs.readdirSync(path.join(folder, below)).sort();
  for (const each of names) {
    const name = path.join(below, each);
    const entry = describe(path.join(folder, name), name);
    found.push(entry);
    if (entry.kind === "folder") entriesBelow(folder, name, found);
  }
}

function describe(file: string, name: string): TreeEntry {
  const status = fs.lstatSync(file);
  const common = { name, bytes: status.size, modified: Math.trunc(status.mtimeMs) };
  if (status.isSymbolicLink()) return { ...common, kind: "link", mode: 0, target: fs.readlinkSync(file) };
  const kind = status.isDirectory() ? "folder" : status.isFile() ? "file" : "other";
  return { ...common, kind, mode: status.mode & 0o7777 };
}

async function createFolder(folder: string, mode = 0o755): Promise<void> {
  const first = await createFolders(folder);
  if (first !== undefined) await files.chmod(folder, mode);
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await files.link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV" && error.code !== "EMLINK") throw error;
    return files.copyFile(from, to);
  });
}

async function copyFile(from: string, to: string, mode: number): Promise<void> {
  await files.copyFile(from, to);
  await files.chmod(to, mode);
}

async function readBytes(file: string, limit?: number): Promise<Buffer> {
  if (limit === undefined) return files.readFile(file);
  const handle = await files.open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(limit), 0, limit, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

const BLOCK_BYTES = 64 * 1024;

const writeSparse: HostTrees["writeSparse"] = async (file, bytes, pieces) => {
  const handle = await files.open(file, "w", 0o644);
  try {
    await handle.truncate(bytes);
    for (const [offset, content] of pieces) await writeNonZero(handle, content, offset);
  } finally {
    await handle.close();
  }
};

/** Blocks of zeros remain holes. */
async function writeNonZero(handle: files.FileHandle, content: Buffer, offset: number): Promise<void> {
  const zeros = Buffer.alloc(BLOCK_BYTES);
  for (let start = 0; start < content.length; start += BLOCK_BYTES) {
    const piece = content.subarray(start, start + BLOCK_BYTES);
    if (!piece.equals(zeros.subarray(0, piece.length))) await handle.write(piece, 0, piece.length, offset + start);
  }
}

function openWrite(file: string, mode = 0o644): NodeJS.WritableStream {
  const stream = fs.createWriteStream(file, { mode });
  stream.once("open", (descriptor) => fs.fchmodSync(descriptor, mode));
  return stream;
}

/** File trees on this host. */
export const fileTrees: HostTrees = {
  entries: async (folder) => {
    const found: TreeEntry[] = [];
    entriesBelow(folder, "", found);
    return found;
  },
  entry: async (file) => ((await exists(file)) ? describe(file, "") : undefined),
  size: async (file) => (await files.stat(file)).size,
  bytesOnDisk: async (target) => bytesOnDisk(target),
  freeBytes,
  realPath: (file) => files.realpath(file),
  createFolder,
  createFolderBeside: (prefix) => files.mkdtemp(prefix),
  link: (target, at) => files.symlink(target, at),
  linkOrCopy,
  copyFile,
  copyFolder: (from, to) => files.cp(from, to, { recursive: true }),
  setMode: (file, mode) => files.chmod(file, mode),
  readBytes,
  writeSparse,
  openRead: (file) => fs.createReadStream(file, { highWaterMark: 1024 * 1024 }),
  openWrite,
};
