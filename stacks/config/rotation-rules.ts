import { type AuthorityName, authorityNames, reasonToKeepAuthority } from "../../model/authority-rotations";
import { hasEtcdMachines, hasWitness } from "./pool-roles";
import type { Rule } from "./rules";

/** Which keys a stack can replace. */

function authorityFits(name: AuthorityName): Rule {
  const path = ["secrets", "rotate", name];
  return {
    reads: [path, ["pools", "etcd", "count"], ["pools", "gateway", "roles"], ["options", "controlPlane"]],
    check({ pools, secrets, options }) {
      if (secrets.rotate[name] === undefined) return [];
      const kept = reasonToKeepAuthority(name, {
        ...{ controlPlane: options.controlPlane, hasMachines: hasEtcdMachines(pools), hasWitness: hasWitness(pools) },
      });
      return kept ? [{ path, rule: `cannot be rotated in this stack: ${kept.reason}`, fix: kept.instead }] : [];
    },
  };
}

export const rotationRules: readonly Rule[] = authorityNames.map(authorityFits);
