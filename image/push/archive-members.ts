import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";

/** A file in an archive. */
export interface Member {
  readonly name: string;
  readonly size: number;
  /** `sha256:…` */
  readonly digest: string;
  /** The first bytes, by which compression is known. */
  readonly head: Buffer;
  /** Of a small file that may be JSON. */
  readonly text?: string;
}

export interface ArchiveMembers {
  readonly byName: ReadonlyMap<string, Member>;
}

/** Manifests and configurations are smaller. */
const TEXT_BYTES = 4 * 2 ** 20;

/** Calls `read` for each file of a tar archive, which may be compressed. What it does not read is skipped. */
export async function eachMember(
  { trees }: Pick<Host, "trees">,
  file: string,
  read: (name: string, content: AsyncIterable<Buffer>, size: number) => Promise<void>,
  onLink: (name: string, target: string) => void = () => {},
): Promise<void> {
  const begin = await trees.readBytes(file, 2).catch((error: NodeJS.ErrnoException) => {
    const reason = `${file} cannot be read: ${error.code}`;
    throw new UserError("image-archive", reason, "name an archive that `docker save` or another tool has written");
  });
  const isCompressed = begin.equals(Buffer.from([0x1f, 0x8b]));
  const extract = tar.extract();
  const source = trees.openRead(file);
  const reading = isCompressed ? pipeline(source, createGunzip(), extract) : pipeline(source, extract);
  const taking = (async () => {
    for await (const entry of extract) {
      const { name, type, linkname, size = 0 } = entry.header;
      if (type === "file") await read(normal(name), entry as AsyncIterable<Buffer>, size);
      else if ((type === "symlink" || type === "link") && linkname) onLink(normal(name), linkname);
      entry.resume();
    }
  })().catch((error: Error) => {
    extract.destroy(error);
    throw error;
  });
  await Promise.all([reading, taking]).catch((error: NodeJS.ErrnoException) => {
    throw error.syscall === undefined && isOfArchive(error) ? damaged(file, error.message) : error;
  });
}

/** Of tar or gzip; errors of what reads the members pass. */
const isOfArchive = ({ code = "", message }: NodeJS.ErrnoException): boolean =>
  code.startsWith("Z_") || /tar header|unexpected end of data|premature close/i.test(message);

export const damaged = (file: string, reason: string): UserError =>
  new UserError("image-archive", `${file} is no complete archive of an image: ${reason}`, "save the image again");

/** Reads all of an archive once: what is in it, and the digest of each file. */
export async function membersOf(host: Pick<Host, "trees">, file: string): Promise<ArchiveMembers> {
  const byName = new Map<string, Member>();
  const links = new Map<string, string>();
  await eachMember(
    host,
    file,
    async (name, content, size) => void byName.set(name, await inspect(name, content, size)),
    (name, target) => void links.set(name, target),
  );
  for (const [name, target] of links) {
    // Layers that several images have: `../ID/layer.tar` from the folder of the link, or a name from the archive's root.
    const from = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
    const found = byName.get(normal(`${from}/${target}`)) ?? byName.get(normal(target));
    if (found) byName.set(name, found);
  }
  return { byName };
}

async function inspect(name: string, content: AsyncIterable<Buffer>, size: number): Promise<Member> {
  const hash = createHash("sha256");
  const kept: Buffer[] = [];
  let head = Buffer.alloc(0);
  for await (const chunk of content) {
    hash.update(chunk);
    if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4)]);
    if (size <= TEXT_BYTES && /^[{[]/.test(head.toString("latin1"))) kept.push(chunk);
  }
  const text = kept.length > 0 ? { text: Buffer.concat(kept).toString("utf8") } : {};
  return { name, size, digest: `sha256:${hash.digest("hex")}`, head: head.subarray(0, 4), ...text };
}

/** Without `.` and `..`, and without a slash at its begin. */
function normal(name: string): string {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
