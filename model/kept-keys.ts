/** Keys that `up` does not replace, at all or in some stacks. */

export interface FixedKey {
  readonly reason: string;
  readonly instead: string;
}

export const startOver = "start over: `npx groundplane destroy` keeps the data disks";

/** The keys that cannot be replaced on a running stack, by the names that users try. */
export const fixedKeys = {
  "ssh-host-keys": {
    reason: "every node's identity is pinned by it",
    instead: "recreate the machine whose key is lost, or start over",
  },
} as const satisfies Readonly<Record<string, FixedKey>>;

/** Why a stack with so many machines for balancers keeps the key of Corosync; `undefined`: it can be replaced. */
export const reasonToKeepCorosyncKey = (balancers: number): FixedKey | undefined =>
  balancers > 0
    ? undefined
    : {
        reason: "no test has replaced the key of masters or of a gateway that are the balancers yet",
        instead: `remove it, or ${startOver}`,
      };
