import { imageKindOf, type PoolName } from "../../model/roles";
import { DISK_OVERHEAD_MIB, type ImageKind, volumes } from "../../model/volumes";
import type { Configuration } from "./configuration";
import { rolesOfPool } from "./pool-roles";
import type { Finding, Rule } from "./rules";

/** Which image the machines of a pool are made from. */
const imageKindOfPool = (pools: Configuration["pools"], pool: PoolName): ImageKind =>
  imageKindOf(rolesOfPool(pools, pool));

/** A volume begins as large as it is in the image, and none ever shrinks. */
const notBelowImage = (pool: PoolName): Rule => ({
  reads: [["pools", pool, "volumes"]],
  check({ pools }) {
    return volumes.flatMap(({ mountPoint, sizeMiB }): Finding[] => {
      const least = Math.ceil(sizeMiB[imageKindOfPool(pools, pool)] / 1024);
      const size = pools[pool].volumes[mountPoint];
      if (size === undefined || size >= least) return [];
      const rule = `must hold what the image has in it: at least ${least} GiB`;
      return [{ path: ["pools", pool, "volumes", mountPoint], rule, fix: `use ${least} or more` }];
    });
  },
});

const fitDisk = (pool: PoolName): Rule => ({
  reads: [
    ["pools", pool, "volumes"],
    ["pools", pool, "diskGiB"],
  ],
  check({ pools }) {
    const { diskGiB } = pools[pool];
    const needed = Math.ceil(neededMiB(pools[pool], imageKindOfPool(pools, pool)) / 1024);
    if (needed <= diskGiB) return [];
    return [
      {
        path: ["pools", pool, "volumes"],
        rule: `must fit the system disk of ${diskGiB} GiB; with the other volumes they need ${needed} GiB`,
        fix: `use diskGiB: ${needed} or more, or smaller volumes`,
      },
    ];
  },
});

/** What the volumes need at least, with what of a disk is no volume. */
function neededMiB({ volumes: written }: Configuration["pools"][PoolName], kind: ImageKind): number {
  const sizes = volumes.map(({ mountPoint, sizeMiB }) => Math.max((written[mountPoint] ?? 0) * 1024, sizeMiB[kind]));
  return sizes.reduce((sum, size) => sum + size, DISK_OVERHEAD_MIB);
}

export const volumeRules = (pools: readonly PoolName[]): readonly Rule[] =>
  pools.flatMap((pool) => [notBelowImage(pool), fitDisk(pool)]);
