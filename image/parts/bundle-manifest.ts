import * as path from "node:path";
import { packageLockFile, parsePackageLock, stackOfPackageLock } from "../../model/package-lock";
import { UserError } from "../../model/user-error";

/** `manifest.json`, the first entry of a bundle: its content with checksums. */
export interface BundleManifest {
  readonly format: typeof BUNDLE_FORMAT;
  readonly parts: readonly BundledPart[];
  /** Texts by stack: without its lock, a stack on another host has images of other names. Absent: images without a lock. */
  readonly packageLocks?: Readonly<Record<string, string>>;
}

export interface BundledPart {
  /** Name of the part's folder, see `partName`. */
  readonly name: string;
  readonly kind: "root-tree" | "programs" | "disk";
  /** Where the part came from when the bundle was created. */
  readonly origin: string;
  readonly files: readonly BundledFile[];
}

export interface BundledFile {
  /** Path in the bundle: `<part>/<file>`. */
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

export const BUNDLE_FORMAT = "groundplane-bundle-1";
export const MANIFEST_NAME = "manifest.json";
/** A root tree is one archive, which keeps owners, links and capabilities. */
export const TREE_ARCHIVE = "tree.tar";
/** A disk without its holes. */
export const DISK_ARCHIVE = "disk.raw.zst";

/** @throws UserError `bundle-damaged` when the text is not a manifest of this format, or names a path outside the parts */
export function parseBundleManifest(text: string, where: string): BundleManifest {
  const manifest = parse(text);
  if (manifest?.format !== BUNDLE_FORMAT || !Array.isArray(manifest.parts)) {
    throw damaged(where, "its manifest has another format");
  }
  for (const part of manifest.parts) {
    for (const file of part.files) {
      const [folder, name, ...more] = file.path.split("/");
      const plain = folder === part.name && more.length === 0 && [folder, name].every((word) => isPlainName(word));
      if (!plain || !/^[0-9a-f]{64}$/.test(file.sha256))
        throw damaged(where, `its manifest names ${JSON.stringify(file.path)}`);
    }
  }
  for (const [stack, lock] of Object.entries(manifest.packageLocks ?? {})) checkLock(stack, lock, where);
  return manifest;
}

/** It becomes a file in the checkout. */
function checkLock(stack: string, text: string, where: string): void {
  if (stackOfPackageLock(path.basename(packageLockFile(stack))) !== stack)
    throw damaged(where, `its manifest names a stack ${JSON.stringify(stack)}`);
  parsePackageLock(text, `of ${stack} in ${where}`);
}

export function damaged(where: string, how: string): UserError {
  return new UserError(
    "bundle-damaged",
    `the bundle ${where} cannot be used: ${how}`,
    "copy it again, or create another one: npx groundplane bundle create FILE",
  );
}

function parse(text: string): BundleManifest | undefined {
  try {
    return JSON.parse(text) as BundleManifest;
  } catch {
    return undefined;
  }
}

function isPlainName(word: string | undefined): boolean {
  return word !== undefined && /^[a-z0-9][a-z0-9._-]*$/.test(word);
}
