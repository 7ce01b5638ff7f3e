import { createHash } from "node:crypto";
import { diskOf } from "../../image/recipes/disk";
import { rootTrees } from "../../image/recipes/root-tree";
import { containerRuntimes } from "../../model/container-runtimes";
import type { DistributionName } from "../../model/distributions";
import type { LockedPackage, PackageLock } from "../../model/package-lock";

export const lockedPackage = (name: string, version = "1.0-1"): LockedPackage => ({
  name,
  version,
  sha256: createHash("sha256").update(`${name} ${version}`).digest("hex"),
  bytes: 1000,
  file: `debian/pool/main/${name[0]}/${name}/${name}_${version.replace(/^\d+:/, "")}_amd64.deb`,
});

/** A lock that fits the recipes. `versions` of some packages differ from the others. */
export function smallLock(
  versions: Readonly<Record<string, string>> = {},
  distribution: DistributionName = "debian",
): PackageLock {
  const locked = (names: readonly string[]) => names.map((name) => lockedPackage(name, versions[name]));
  const { packages, suite } = rootTrees[distribution];
  return {
    distribution,
    suite,
    sections: {
      tree: locked([...packages, "libssl3t64"]),
      docker: locked(containerRuntimes.docker.packages[distribution]),
      disk: locked(diskOf(distribution).packages),
    },
  };
}
