/** Why some stacks keep a key that `up` replaces in others. */

export interface FixedKey {
  readonly reason: string;
  readonly instead: string;
}

export const startOver = "start over: `npx groundplane destroy` keeps the data disks";

/** Why a stack with so many machines for balancers keeps the key of Corosync; `undefined`: it can be replaced. */
export const reasonToKeepCorosyncKey = (balancers: number): FixedKey | undefined =>
  balancers > 0
    ? undefined
    : {
        reason: "no test has replaced the key of masters or of a gateway that are the balancers yet",
        instead: `remove it, or ${startOver}`,
      };
