import * as path from "node:path";
import type { Host } from "../../model/host";
import { type PinnedDigests, pinnedDigests } from "../../model/pinned-downloads";
import { UserError } from "../../model/user-error";
import { asStorageError } from "../store/build-context";
import { addedFolder, folderOf, kept, keyOf, type ReleaseFile, releaseFiles, releaseFilesOf } from "./added-files";
import { unpackFile } from "./upstream-source";

export interface AddFileOptions {
  /** sha256, hex, with or without `sha256:`, of a file whose digest is not in the table. */
  readonly digest?: string;
  /** The part's version, where the file's name does not contain it. */
  readonly version?: string;
  readonly digests?: PinnedDigests;
}

export interface AddedFile {
  readonly part: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  /** Was it here before? */
  readonly present: boolean;
  /** Other files that the part still needs. */
  readonly missing: readonly string[];
}

/**
 * Keeps a file of a release as a source of its part. Adding it again changes nothing.
 * @throws UserError `part-unreadable`, `part-unknown`, `part-ambiguous`, `part-digest-unknown`, `part-digest`, `part-damaged`,
 * `disk-full`; nothing is added then
 */
export async function addPartFile(host: Host, given: string, options: AddFileOptions = {}): Promise<AddedFile> {
  const { digests = pinnedDigests } = options;
  const sha256 = await digestOf(host, given);
  const release = recognize(given, sha256, { ...options, digests });
  checkDigest(given, sha256, release, { ...options, digests });
  const folder = folderOf(host, release);
  const present = (await host.files.list(folder)).includes(sha256);
  if (!present) await keep(host, given, { folder, sha256, release });
  const { recipe, file } = release;
  const others = await Promise.all(
    releaseFilesOf(recipe).map(async (each) => ((await kept(host, each, digests)) ? [] : [each.file.name])),
  );
  return { part: recipe.name, version: recipe.version, file: file.name, sha256, present, missing: others.flat() };
}

async function digestOf({ files, trees }: Host, given: string): Promise<string> {
  try {
    const kind = (await trees.entry(await trees.realPath(given)))?.kind;
    if (kind !== "file") throw new Error(kind ? "it is not a file" : "there is no such file");
    return await files.digest(given);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hint = "check its name and its permissions";
    throw new UserError("part-unreadable", `${given} cannot be read: ${reason}`, hint, { cause });
  }
}

/** A pinned digest says what a file is, whatever its name. */
function recognize(
  given: string,
  sha256: string,
  { version, digests }: AddFileOptions & { readonly digests: PinnedDigests },
): ReleaseFile {
  const known = releaseFiles();
  const pinned = known.find((each) => digests[keyOf(each)] === sha256);
  if (pinned) return pinned;
  const named = known.filter(({ file }) => file.name === path.basename(given));
  const [found, another] = named.filter(({ recipe }) => version === undefined || recipe.version === version);
  if (found && !another) return found;
  if (found) {
    const versions = named.map(({ recipe }) => recipe.version).join(", ");
    const hint = `name the version: npx groundplane part add ${given} --version VERSION`;
    throw new UserError("part-ambiguous", `${path.basename(given)} is a file of several versions: ${versions}`, hint);
  }
  const of = version === undefined ? "" : ` of version ${version}`;
  const names = known.map(({ recipe, file }) => `    ${recipe.name} ${recipe.version}: ${file.name}`);
  throw new UserError(
    "part-unknown",
    `no part of an image has a file ${path.basename(given)}${of}; the files that can be added:\n${names.join("\n")}`,
    "use the file's name in its release",
  );
}

/** @throws UserError unless the file is the one that the table, or else the user, names */
function checkDigest(
  given: string,
  sha256: string,
  release: ReleaseFile,
  { digest, digests = pinnedDigests }: AddFileOptions,
): void {
  const wanted = digest?.toLowerCase().replace(/^sha256:/, "");
  const expected = digests[keyOf(release)] ?? wanted;
  const title = `${release.recipe.name} ${release.recipe.version}`;
  const { url, checksum } = release.file;
  if (expected === undefined) {
    const add = `npx groundplane part add ${given} --digest sha256:DIGEST`;
    throw new UserError(
      "part-digest-unknown",
      `this version of groundplane has no digest of ${release.file.name}; that of ${given} is sha256:${sha256}`,
      `if its project publishes the same one (${checksum.url}): ${add}`,
    );
  }
  if (wanted !== undefined && wanted !== expected)
    throw new UserError(
      "part-digest",
      `--digest names ${wanted}, but ${title} has the digest ${expected}`,
      "omit --digest: the digest of this release is known",
    );
  if (sha256 !== expected)
    throw new UserError(
      "part-digest",
      `${given} has the digest ${sha256}, but ${title} must have ${expected}`,
      `do not use it; get the file again from ${url}`,
    );
}

interface FileToKeep {
  readonly folder: string;
  readonly sha256: string;
  readonly release: ReleaseFile;
}

/** The copy is checked, not the original, which may change meanwhile. */
async function keep(host: Host, given: string, { folder, sha256, release }: FileToKeep): Promise<void> {
  const { files, trees } = host;
  await trees.createFolder(addedFolder(host));
  const work = await trees.createFolderBeside(path.join(addedFolder(host), "new-"));
  try {
    const copy = path.join(work, sha256);
    await trees.copyFile(given, copy, 0o644);
    if ((await files.digest(copy)) !== sha256)
      throw new UserError("part-digest", `${given} changes while it is read`, "add it when it is complete");
    await unpackFile(host, release.file, copy, await unpackingFolder(host, work)).catch((cause: unknown) => {
      if (asStorageError(cause, work) !== cause) throw cause;
      const reason = cause instanceof Error ? cause.message.replace(sha256, release.file.name) : String(cause);
      const hint = `get the file again from ${release.file.url}`;
      throw new UserError("part-damaged", `${given} is not the release's file: ${reason}`, hint, { cause });
    });
    for (const former of await files.list(folder)) await files.remove(path.join(folder, former));
    await trees.createFolder(folder);
    await files.move(copy, path.join(folder, sha256));
  } catch (error) {
    throw asStorageError(error, addedFolder(host));
  } finally {
    await files.remove(work);
  }
}

async function unpackingFolder({ trees }: Host, work: string): Promise<string> {
  const folder = path.join(work, "content");
  await trees.createFolder(folder);
  return folder;
}
