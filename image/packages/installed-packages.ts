import * as path from "node:path";
import type { Host } from "../../model/host";
import { type LockedPackage, type PackageVersions, packageChanges, versionsOf } from "../../model/package-lock";

const STATUS = "var/lib/dpkg/status";

/** What a root tree, or a layer over one, has installed by dpkg's record; `undefined` without a record. */
export async function installedPackages({ files }: Host, tree: string): Promise<PackageVersions | undefined> {
  const text = await files.readText(path.join(tree, STATUS));
  return text === undefined ? undefined : versionsInStatus(text);
}

/** Pure. */
export function versionsInStatus(text: string): PackageVersions {
  const stanzas = text.split(/\n{2,}/).map((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1];
    return { name: field("Package"), version: field("Version"), status: field("Status") };
  });
  return Object.fromEntries(
    stanzas.flatMap(({ name, version, status }) =>
      name !== undefined && version !== undefined && status?.endsWith(" installed") ? [[name, version]] : [],
    ),
  );
}

/** @throws Error when other packages are installed than those of the lock */
export async function checkInstalled(host: Host, tree: string, locked: readonly LockedPackage[]): Promise<void> {
  const found = packageChanges(versionsOf(locked), (await installedPackages(host, tree)) ?? {});
  if (found.length === 0) return;
  const some = found.slice(0, 5).map(({ name, from = "none", to = "none" }) => `${name} ${to} instead of ${from}`);
  throw new Error(`the packages differ from the lock: ${some.join(", ")}`);
}
