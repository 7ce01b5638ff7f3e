import { type DistributionName, distributions } from "./distributions";
import { fileVersions, newerThanCode, storedVersion } from "./formats";
import { UserError } from "./user-error";

/** One package of the distribution, exactly. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Hex, of the package's file. */
  readonly sha256: string;
  readonly bytes: number;
  /** Path in the archive, which begins with the folder that identifies it, e.g. `debian-security/pool/…/x_1_amd64.deb`. */
  readonly file: string;
}

/** What is installed together: the tree of all nodes; what nodes with Docker have beside it; what virtual machines have beside it. */
export const lockSections = ["tree", "docker", "disk"] as const;
export type LockSection = (typeof lockSections)[number];

/** The packages of a stack's images. A file in version control, beside the stack's configuration. */
export interface PackageLock {
  readonly distribution: DistributionName;
  /** Code name of the release. */
  readonly suite: string;
  /** `docker` only for stacks that have it. Sorted by name. */
  readonly sections: Readonly<Partial<Record<LockSection, readonly LockedPackage[]>>>;
}

/** Its place in the checkout. */
export const packageLockFile = (stack: string): string => `stacks/package-lock.${stack}.json`;

/** The stack whose lock has this file name; `undefined` for other files. */
export const stackOfPackageLock = (fileName: string): string | undefined =>
  /^package-lock\.([a-z][a-z0-9-]*)\.json$/.exec(fileName)?.[1];

/** A line for each package, so that a diff of two versions shows what has changed. */
export function packageLockText({ distribution, suite, sections }: PackageLock): string {
  const line = ({ name, version, sha256, bytes, file }: LockedPackage): string =>
    `      ${JSON.stringify({ name, version, sha256, bytes, file })}`;
  const present = lockSections.filter((section) => sections[section] !== undefined);
  const texts = present.map(
    (section) => `    "${section}": [\n${(sections[section] ?? []).map(line).join(",\n")}\n    ]`,
  );
  const head = JSON.stringify({ formatVersion: fileVersions.packageLock, distribution, suite }, null, 2);
  return `${head.slice(0, -2)},\n  "sections": {\n${texts.join(",\n")}\n  }\n}\n`;
}

/** @throws UserError `package-lock` for a text that is no lock, `newer-data` for one of a later version */
export function parsePackageLock(text: string, file: string): PackageLock {
  const written = parseJson(text, file) as Partial<PackageLock> & { readonly formatVersion?: unknown };
  const version = storedVersion(written.formatVersion ?? null);
  if (version !== fileVersions.packageLock && Number.isFinite(version))
    throw newerThanCode(file, version, fileVersions.packageLock);
  const distribution = distributions.find((name) => name === written.distribution);
  const { suite, sections } = written;
  if (!Number.isFinite(version) || distribution === undefined)
    throw unusable(file, "it has no version or no distribution");
  if (typeof suite !== "string" || !/^[a-z]+$/.test(suite))
    throw unusable(file, "it names no release of the distribution");
  if (sections?.tree === undefined) throw unusable(file, "it has no packages of the root tree");
  const known = Object.entries(sections).map(([name, packages]) => [sectionOf(name, file), checked(packages, file)]);
  return { distribution, suite, sections: Object.fromEntries(known) };
}

function parseJson(text: string, file: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // The error below says it.
  }
  throw unusable(file, "it is not a JSON object; an unfinished merge leaves such a file");
}

function sectionOf(name: string, file: string): LockSection {
  const section = lockSections.find((known) => known === name);
  if (section === undefined) throw unusable(file, `it has an unknown section ${JSON.stringify(name)}`);
  return section;
}

/** Every value becomes part of a path or of apt's settings. */
const rules: Readonly<Record<keyof LockedPackage, (value: unknown) => boolean>> = {
  name: (value) => isText(value, /^[a-z0-9][a-z0-9+.-]+$/),
  version: (value) => isText(value, /^[A-Za-z0-9.+:~-]+$/),
  sha256: (value) => isText(value, /^[0-9a-f]{64}$/),
  bytes: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  file: (value) => isText(value, /^[a-z-]+\/pool\/(?:[A-Za-z0-9_+~:-][A-Za-z0-9._+~:-]*\/)+[A-Za-z0-9._+~:%-]+\.deb$/),
};

const isText = (value: unknown, pattern: RegExp): boolean => typeof value === "string" && pattern.test(value);

function checked(packages: unknown, file: string): readonly LockedPackage[] {
  if (!Array.isArray(packages)) throw unusable(file, "a section is not a list of packages");
  const names = new Set<string>();
  return packages.map((each: Partial<LockedPackage> | null) => {
    const bad = Object.entries(rules).find(([key, isValid]) => !isValid(each?.[key as keyof LockedPackage]));
    if (bad) throw unusable(file, `a package has no valid ${bad[0]}: ${JSON.stringify(each)}`);
    const { name, version, sha256, bytes, file: place } = each as LockedPackage;
    if (names.has(name)) throw unusable(file, `it has ${name} twice`);
    names.add(name);
    return { name, version, sha256, bytes, file: place };
  });
}

/** All ways out of a lock that does not fit. */
export const lockHint =
  "`npx groundplane image update` writes it with what the mirror has now; or restore the file from version control, or remove it to build without a lock";

export const unusable = (file: string, how: string): UserError =>
  new UserError("package-lock", `the package lock ${file} cannot be used: ${how}`, lockHint);

/** A change of one package: absent before, or afterwards. */
export interface PackageChange {
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
}

/** Versions by name. */
export type PackageVersions = Readonly<Record<string, string>>;

export const versionsOf = (packages: readonly LockedPackage[]): PackageVersions =>
  Object.fromEntries(packages.map(({ name, version }) => [name, version]));

/** Every package of these sections; of all of the lock by default. */
export const packagesIn = (
  { sections }: PackageLock,
  of: readonly LockSection[] = lockSections,
): readonly LockedPackage[] => of.flatMap((section) => sections[section] ?? []);

/** Sorted by name. */
export function packageChanges(before: PackageVersions, after: PackageVersions): readonly PackageChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => {
      const [from, to] = [before[name], after[name]];
      return { name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    });
}
