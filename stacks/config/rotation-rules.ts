import { type AuthorityName, authorityNames, reasonToKeepAuthority } from "../../model/authority-rotations";
import { type FixedKey, reasonToKeepCorosyncKey } from "../../model/kept-keys";
import { hasEtcdMachines, hasWitness } from "./pool-roles";
import type { Rule } from "./rules";

/** Which keys a stack can replace. */

function authorityFits(name: AuthorityName): Rule {
  const path = ["secrets", "rotate", name];
  return {
    reads: [
      path,
      ["pools", "etcd", "count"],
      ["pools", "gateway", "roles"],
      ["options", "controlPlane"],
      ["secrets", "authority"],
    ],
    check({ pools, secrets, options }) {
      if (secrets.rotate[name] === undefined) return [];
      const kept = reasonToKeepAuthority(name, {
        ...{ controlPlane: options.controlPlane, hasMachines: hasEtcdMachines(pools), hasWitness: hasWitness(pools) },
        hasGivenAuthority: secrets.authority !== undefined,
      });
      return kept ? [refusal(path, kept)] : [];
    },
  };
}

const refusal = (path: readonly string[], { reason, instead }: FixedKey) => ({
  ...{ path, rule: `cannot be rotated in this stack: ${reason}`, fix: instead },
});

const corosyncKey = ["secrets", "rotate", "corosync-key"];

const corosyncKeyFits: Rule = {
  reads: [corosyncKey, ["pools", "balancers", "count"]],
  check({ pools, secrets }) {
    const kept = secrets.rotate["corosync-key"] && reasonToKeepCorosyncKey(pools.balancers.count);
    return kept ? [refusal(corosyncKey, kept)] : [];
  },
};

export const rotationRules: readonly Rule[] = [...authorityNames.map(authorityFits), corosyncKeyFits];
