import { UserError } from "../../model/user-error";
import type { Volume } from "../../model/volumes";

/** File systems that a machine can grow while they are mounted. */
const GROWING: readonly string[] = ["ext4"] satisfies Volume["fileSystem"][];

/**
 * Checks the table of volumes, which a change may have made inconsistent.
 * @throws UserError `volumes` with every problem at once
 */
export function checkVolumes(volumes: readonly Volume[]): void {
  const problems = volumes.flatMap((volume, index) => {
    const before = volumes.slice(0, index);
    return [
      ...before
        .filter(({ mountPoint }) => mountPoint === volume.mountPoint)
        .map(() => "its mount point is named twice"),
      ...before.filter(({ name }) => name === volume.name).map(() => "its name is used twice"),
      ...(before.some(({ mountPoint }) => liesIn(mountPoint, volume.mountPoint))
        ? ["it comes after a volume that is mounted in it"]
        : []),
      ...(GROWING.includes(volume.fileSystem)
        ? []
        : [`${volume.fileSystem} cannot grow while it is mounted; use ${GROWING.join(" or ")}`]),
      ...(Object.values(volume.sizeMiB).every((size) => Number.isInteger(size) && size > 0)
        ? []
        : ["its sizes must be integers above 0 (MiB)"]),
    ].map((problem) => `${volume.name} at ${volume.mountPoint}: ${problem}`);
  });
  if (!volumes.some(({ mountPoint }) => mountPoint === "/")) problems.push("none is mounted at /");
  const shares = volumes.reduce((sum, { growthShare }) => sum + growthShare, 0);
  if (shares > 100) problems.push(`the volumes claim ${shares} percent of the disk beyond the image`);
  if (problems.length === 0) return;
  throw new UserError(
    "volumes",
    `the volumes of the disk cannot be created:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    "correct them in model/volumes.ts",
  );
}

const liesIn = (inner: string, outer: string): boolean =>
  inner !== outer && `${inner}/`.startsWith(`${outer.replace(/\/$/, "")}/`);
