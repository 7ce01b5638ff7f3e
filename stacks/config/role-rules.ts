import { hasEtcdMachines, hasWitness, isGatewayMaster } from "./pool-roles";
import type { Finding, Rule } from "./rules";

/** What the roles of pools allow together. */

const countPath = (pool: string) => ["pools", pool, "count"];
const counts = (...pools: readonly string[]) => pools.map(countPath);
const mastersRoles = ["pools", "masters", "roles"];
const gatewayRoles = ["pools", "gateway", "roles"];
const oneMachine = "pools.gateway: {roles: [balancer, master, worker]}";

/** Members of etcd on masters, and on the gateway beside them. */
const membersOdd: Rule = {
  reads: [...counts("masters", "etcd"), gatewayRoles],
  check({ pools }) {
    const { count } = pools.masters;
    const isWitnessed = hasWitness(pools);
    // Other rules are about no masters, and about a gateway that is the only one.
    if (count === 0 || isGatewayMaster(pools)) return [];
    if (hasEtcdMachines(pools) || (count % 2 === 1) !== isWitnessed) return [];
    const path = countPath("masters");
    if (isWitnessed) {
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

/** Masters are machines of one pool: they are equal, and each can be replaced without the others. */
const mastersOfOnePool: Rule = {
  reads: [...counts("masters"), gatewayRoles],
  check({ pools }) {
    const { count } = pools.masters;
    if (count > 0 === !isGatewayMaster(pools)) return [];
    const path = countPath("masters");
    if (count === 0) {
      return [{ path, rule: "must be 1 to 7, unless the gateway is the master", fix: `use 3, or 1, or ${oneMachine}` }];
    }
    const fix = "write pools.masters: {count: 0}, or remove balancer, master and worker from pools.gateway.roles";
    return [{ path, rule: "must be 0 where the gateway is the master", fix }];
  },
};

/** The gateway has the floating IP of its own API server, and pods run only on Nodes. */
const gatewayRolesFit: Rule = {
  reads: [gatewayRoles],
  check({ pools }) {
    const { roles } = pools.gateway;
    const isMaster = isGatewayMaster(pools);
    const fix = "use [balancer, master], [balancer, master, worker], or [etcd]";
    if (roles.includes("balancer") !== isMaster) {
      return [{ path: gatewayRoles, rule: "must contain balancer and master together, or neither", fix }];
    }
    if (!roles.includes("worker") || isMaster) return [];
    return [{ path: gatewayRoles, rule: "must contain master where it contains worker", fix }];
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
    if (!hasWitness(pools) || pools.gateway.memoryMiB >= WITNESS_MIB) return [];
    const rule = `must be at least ${WITNESS_MIB} where the gateway is a member of etcd`;
    return [{ path: ["pools", "gateway", "memoryMiB"], rule, fix: `use ${WITNESS_MIB}` }];
  },
};

/** The floating IP has one or two machines that may hold it, all of one pool. */
const balancersOfOnePool: Rule = {
  reads: [...counts("balancers", "masters"), mastersRoles, gatewayRoles],
  check({ pools }): readonly Finding[] {
    const [own, { count, roles }] = [pools.balancers.count, pools.masters];
    const path = countPath("balancers");
    const onMasters = count > 0 && roles.includes("balancer");
    const others = [
      ...(onMasters ? ["masters"] : []),
      ...(pools.gateway.roles.includes("balancer") ? ["gateway"] : []),
    ];
    const [other] = others;
    if (other === undefined) {
      const fix = `use 2, or 1, or let masters balance: pools.masters: {roles: [balancer]}, or ${oneMachine}`;
      const rule = "must be 1 or 2, unless masters or the gateway are balancers";
      return own === 0 ? [{ path, rule, fix }] : [];
    }
    const few = "must be 1 or 2 where masters are balancers: no more machines share the floating IP";
    const manyFix = "use 2 with pools.gateway: {roles: [etcd]}, or balancers of their own: pools.balancers: {count: 2}";
    const rule = `must be 0 where ${other === "masters" ? "masters are balancers" : "the gateway is the balancer"}`;
    const fix = `write pools.balancers: {count: 0}, or remove balancer from pools.${other}.roles`;
    return [
      ...(own > 0 ? [{ path, rule, fix }] : []),
      ...(onMasters && count > 2 ? [{ path: countPath("masters"), rule: few, fix: manyFix }] : []),
    ];
  },
};

export const roleRules: readonly Rule[] = [
  membersOdd,
  mastersOfOnePool,
  gatewayRolesFit,
  oneKindOfEtcd,
  witnessHasMemory,
  balancersOfOnePool,
];
