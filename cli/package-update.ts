import { compareDebianVersions } from "../model/debian-versions";
import {
  type LockedPackage,
  type PackageChange,
  type PackageLock,
  type PackageVersions,
  packageChanges,
  packageLockFile,
  packagesIn,
  versionsOf,
} from "../model/package-lock";
import { UserError } from "../model/user-error";

/** What `image update` found and did. */
export interface PackageUpdate {
  readonly file: string;
  /** False with `--dry-run`, and where nothing differs. */
  readonly written: boolean;
  /** How many packages the mirror has for the images. */
  readonly packages: number;
  readonly comparedWith: "package lock" | "images" | "nothing";
  readonly changes: readonly PackageChange[];
  /** The stack's images by kind: with the new lock, and before. */
  readonly images: readonly { readonly before?: string; readonly after: string }[];
}

/** Changes from one lock to another; a package whose file alone differs has the same version twice. */
export function lockChanges(before: PackageLock, after: PackageLock): readonly PackageChange[] {
  const former = new Map(packagesIn(before).map(({ name, sha256 }) => [name, sha256]));
  const changes = packageChanges(versionsOf(packagesIn(before)), versionsOf(packagesIn(after)));
  const named = new Set(changes.map(({ name }) => name));
  const others = packagesIn(after)
    .filter(({ name, sha256 }) => !named.has(name) && former.has(name) && former.get(name) !== sha256)
    .map(({ name, version }: LockedPackage): PackageChange => ({ name, from: version, to: version }));
  return [...changes, ...others];
}

/**
 * A mirror that lags behind would give recreated nodes older packages than their neighbours have.
 * @throws UserError `mirror-behind`
 */
export function refuseOlder(stack: string, changes: readonly PackageChange[]): void {
  const older = changes.filter(
    ({ from, to }) => from !== undefined && to !== undefined && compareDebianVersions(to, from) < 0,
  );
  if (older.length === 0) return;
  const some = older.slice(0, 5).map(({ name, from, to }) => `${name} ${to} instead of ${from}`);
  const more = older.length > some.length ? ` and ${older.length - some.length} more` : "";
  throw new UserError(
    "mirror-behind",
    `the mirror is behind the package lock: it has ${some.join(", ")}${more}`,
    `use a mirror that is up to date; to return to older versions on purpose, remove ${packageLockFile(stack)} first`,
  );
}

/** Only what both sides know counts, e.g. images of system containers have no kernel. */
export const imageChanges = (before: PackageVersions, lock: PackageLock): readonly PackageChange[] =>
  packageChanges(before, versionsOf(packagesIn(lock))).filter(
    ({ name, from }) => from !== undefined || !packagesIn(lock, ["disk", "docker"]).some((each) => each.name === name),
  );
