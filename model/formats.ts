import { formerMachineProperties, formerMembershipProperties, formerResourceNames } from "./former-names";
import type { ResourceTypeName } from "./resource-types";
import { UserError } from "./user-error";

/**
 * Versions of what groundplane stores for longer than a command. Data without a version has version 1, because the first releases wrote
 * none. A version is increased when earlier code would misread the data: that code then refuses it. Older data is migrated.
 */

/** One step from a version to the next: former and present names of top-level properties, `null` for one that no longer exists. */
export type StateMigration = Readonly<Record<string, string | null>>;

/** The resources in Pulumi's state, by type. The first step leads from version 1 to 2. */
export const stateMigrations: Readonly<Record<ResourceTypeName, readonly StateMigration[]>> = {
  Segment: [],
  Image: [],
  Disk: [],
  Machine: [formerMachineProperties],
  ClusterSecrets: [],
  Bootstrap: [formerResourceNames.Bootstrap.properties],
  Membership: [formerMembershipProperties],
  NodeFiles: [],
  NodeImage: [],
  ClusterObjects: [],
  NodeTask: [],
  ContainerImages: [],
  Guard: [],
  Dismantling: [],
};

export const FIRST_VERSION = 1;

/** The version that the migrations lead to. */
export const versionAfter = (migrations: readonly StateMigration[]): number => FIRST_VERSION + migrations.length;

/** The property of a stored resource with its version. Pulumi shows no properties that begin with two underscores. */
export const VERSION_PROPERTY = "__version";

/** Files. Their migrations, if there are any, are beside the code that reads them. */
export const fileVersions = {
  /** The data folder as a whole: the records of machines, disks, snapshots and images. Written to host/data-version.ts's file. */
  dataFolder: 1,
  /** Files of `groundplane backup` and those that masters write by themselves. */
  backup: 1,
  /** The package lock of a stack, in the checkout. */
  packageLock: 1,
} as const;

/** The version that stored data has. Anything but a version is refused like a newer one. */
export const storedVersion = (version: unknown): number =>
  version === undefined
    ? FIRST_VERSION
    : Number.isInteger(version) && (version as number) >= FIRST_VERSION
      ? (version as number)
      : Number.POSITIVE_INFINITY;

const describeVersion = (version: number): string =>
  Number.isFinite(version) ? `version ${version}` : "a version that is no number";

/** @param what with its article, e.g. `the data folder /data` */
export const newerThanCode = (what: string, version: number, known: number, otherwise = ""): UserError =>
  new UserError(
    "newer-data",
    `a newer groundplane wrote ${what}: it has ${describeVersion(version)}, and this one reads up to version ${known}; nothing was changed`,
    `use the clone that wrote it, or update this one (\`git pull\`, then \`npm start\`)${otherwise}`,
  );

/** A resource of a type that this code does not have. */
const unknownResourceType = (type: string): UserError =>
  new UserError(
    "newer-data",
    `a newer groundplane wrote the state: this one has no resource type ${type}; nothing was changed`,
    "use the clone that wrote it, or update this one (`git pull`, then `npm start`)",
  );

/** A resource as Pulumi stores it. */
export interface StoredResource {
  readonly urn?: string;
  readonly type?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

const ours = /^groundplane:index:(\w+)$/;
const formerTypes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(formerResourceNames).map(([name, { type }]) => [type, name]),
);

/** The first resource that this code would misread. */
export function newerResource(resources: readonly StoredResource[]): UserError | undefined {
  for (const { type = "", urn = "", inputs, outputs } of resources) {
    const name = ours.exec(type)?.[1];
    if (name === undefined) continue;
    const present = formerTypes[name] ?? name;
    if (!isKnown(present)) return unknownResourceType(name);
    const known = versionAfter(stateMigrations[present]);
    const version = Math.max(...[inputs, outputs].map((each) => storedVersion(each?.[VERSION_PROPERTY])));
    if (version > known) return newerThanCode(`the state of the ${name} ${urn.split("::").at(-1)}`, version, known);
  }
  return undefined;
}

const isKnown = (name: string): name is ResourceTypeName => Object.hasOwn(stateMigrations, name);
