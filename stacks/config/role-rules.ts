import { hasEtcdMachines } from "./pool-roles";
import type { Finding, Rule } from "./rules";

/** What the roles of pools allow together. */

const counts = (...pools: readonly string[]) => pools.map((pool) => ["pools", pool, "count"]);
const mastersRoles = ["pools", "masters", "roles"];
const gatewayRoles = ["pools", "gateway", "roles"];

/** Members of etcd on masters, and on the gateway beside them. */
const membersOdd: Rule = {
  reads: [...counts("masters", "etcd"), gatewayRoles],
  check({ pools }) {
    const { count } = pools.masters;
    const hasWitness = pools.gateway.roles.includes("etcd");
    if (hasEtcdMachines(pools) || (count % 2 === 1) !== hasWitness) return [];
    const path = ["pools", "masters", "count"];
    if (hasWitness) {
      const rule =
        "must be even where the gateway is a member of etcd: an even number of members survives no more failures";
      return [{ path, rule, fix: `use ${count + 1}, or remove etcd from pools.gateway.roles` }];
    }
    const rule = "must be odd: an even number survives no more failures than one master less";
    const others = "give etcd machines of its own, e.g. pools.etcd: {count: 3}";
    return [
      {
        path,
        rule,
        fix: `use ${count - 1} or ${count + 1}, or ${others}, or a third member: pools.gateway: {roles: [etcd]}`,
      },
    ];
  },
};

const oneKindOfEtcd: Rule = {
  reads: [...counts("etcd"), gatewayRoles],
  check({ pools }) {
    if (!hasEtcdMachines(pools) || !pools.gateway.roles.includes("etcd")) return [];
    const rule = "must not contain etcd where etcd has machines of its own";
    return [{ path: gatewayRoles, rule, fix: "remove etcd here, or use pools.etcd: {count: 0}" }];
  },
};

/** Its own services, a kubelet and etcd. */
const WITNESS_MIB = 1024;

const witnessHasMemory: Rule = {
  reads: [["pools", "gateway", "memoryMiB"], gatewayRoles],
  check({ pools }) {
    if (!pools.gateway.roles.includes("etcd") || pools.gateway.memoryMiB >= WITNESS_MIB) return [];
    const rule = `must be at least ${WITNESS_MIB} where the gateway is a member of etcd`;
    return [{ path: ["pools", "gateway", "memoryMiB"], rule, fix: `use ${WITNESS_MIB}` }];
  },
};

/** The floating IP has one or two machines that may hold it, all of one pool. */
const balancersOfOnePool: Rule = {
  reads: [...counts("balancers", "masters"), mastersRoles],
  check({ pools }): readonly Finding[] {
    const [own, { count, roles }] = [pools.balancers.count, pools.masters];
    const path = ["pools", "balancers", "count"];
    if (!roles.includes("balancer")) {
      const fix = "use 2, or 1, or let masters balance: pools.masters: {roles: [balancer]}";
      return own === 0 ? [{ path, rule: "must be 1 or 2, unless masters are balancers", fix }] : [];
    }
    const few = "must be 1 or 2 where masters are balancers: no more machines share the floating IP";
    return [
      ...(own > 0
        ? [
            {
              path,
              rule: "must be 0 where masters are balancers",
              fix: "write pools.balancers: {count: 0}, or remove balancer from pools.masters.roles",
            },
          ]
        : []),
      ...(count > 2
        ? [
            {
              path: ["pools", "masters", "count"],
              rule: few,
              fix: "use 2 with pools.gateway: {roles: [etcd]}, or balancers of their own: pools.balancers: {count: 2}",
            },
          ]
        : []),
    ];
  },
};

export const roleRules: readonly Rule[] = [membersOdd, oneKindOfEtcd, witnessHasMemory, balancersOfOnePool];
