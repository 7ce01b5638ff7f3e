import { reasonToKeepEtcdAuthority } from "../../model/key-rotations";
import { hasEtcdMachines, hasWitness } from "./pool-roles";
import type { Rule } from "./rules";

/** Which keys a stack can replace. */

const path = ["secrets", "rotate", "etcd-ca"];

const etcdAuthorityFits: Rule = {
  reads: [path, ["pools", "etcd", "count"], ["pools", "gateway", "roles"], ["options", "controlPlane"]],
  check({ pools, secrets, options }) {
    if (secrets.rotate["etcd-ca"] === undefined) return [];
    const kept = reasonToKeepEtcdAuthority({
      ...{ controlPlane: options.controlPlane, hasMachines: hasEtcdMachines(pools), hasWitness: hasWitness(pools) },
    });
    return kept ? [{ path, rule: `cannot be rotated in this stack: ${kept.reason}`, fix: kept.instead }] : [];
  },
};

export const rotationRules: readonly Rule[] = [etcdAuthorityFits];
