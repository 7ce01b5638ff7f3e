import { isClusterNode, poolNames } from "../../model/roles";
import type { Configuration } from "./configuration";
import type { ConfigurationPath } from "./configuration-path";
import { type Cidr, cidr, contains, formatCidr, overlaps } from "./ipv4";
import { hasEtcdMachines, noEtcdSegment, rolesOfPool } from "./pool-roles";
import type { Finding, Rule } from "./rules";
import { longestNetworkPrefix } from "./segment-layout";

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(cidr);

/** Every hypervisor's user-mode NAT uses it for the gateway's uplink. */
const uplinkRange = cidr("10.0.2.0/24");

const networkSize: Rule = {
  reads: [["network", "cidr"]],
  check({ network }) {
    const { network: first, prefixLength } = cidr(network.cidr);
    if (prefixLength <= longestNetworkPrefix) return [];
    return [
      {
        path: ["network", "cidr"],
        rule: `must be /${longestNetworkPrefix} or larger, because eight segments are carved from it`,
        fix: `use ${formatCidr({ network: first - (first % 2048), prefixLength: 21 })}`,
      },
    ];
  },
};

const networkPrivate: Rule = {
  reads: [["network", "cidr"]],
  check({ network }) {
    const range = cidr(network.cidr);
    const isPrivate = privateRanges.some(
      (known) => contains(known, range.network) && known.prefixLength <= range.prefixLength,
    );
    if (isPrivate) return [];
    const list = privateRanges.map(formatCidr).join(", ");
    return [{ path: ["network", "cidr"], rule: `must be private: inside ${list}`, fix: "use 192.168.56.0/21" }];
  },
};

const serviceRangeSize: Rule = {
  reads: [["network", "serviceCidr"]],
  check({ network }) {
    const { prefixLength } = cidr(network.serviceCidr);
    if (prefixLength >= 12 && prefixLength <= 24) return [];
    return [
      {
        path: ["network", "serviceCidr"],
        rule: "must be between /12 and /24, the sizes that the API server takes and CoreDNS's address needs",
        fix: "use 10.96.0.0/16",
      },
    ];
  },
};

/** The controller manager cuts a /24 for every node from it, and handles at most 16 bits of them. */
const podRangeSize: Rule = {
  reads: [
    ["network", "podCidr"],
    ["pools", "gateway", "roles"],
    ["pools", "masters", "count"],
    ["pools", "workers", "count"],
  ],
  check({ network, pools }) {
    const { prefixLength } = cidr(network.podCidr);
    const members = poolNames
      .filter((pool) => isClusterNode(rolesOfPool(pools, pool)))
      .reduce((sum, pool) => sum + pools[pool].count, 0);
    const room = prefixLength > 24 ? 0 : 2 ** (24 - prefixLength);
    if (room >= members && prefixLength >= 8) return [];
    const needed = Math.min(16, 24 - Math.ceil(Math.log2(members)));
    return [
      {
        path: ["network", "podCidr"],
        rule: `must have a /24 for each of ${members} masters and workers, and be no larger than /8`,
        fix: `use a /${needed}, e.g. ${needed === 16 ? "10.244.0.0/16" : formatCidr(lastRangeOf10(needed))}`,
      },
    ];
  },
};

/** The last range of that size in 10.0.0.0/8, far from the usual ones. */
function lastRangeOf10(prefixLength: number): Cidr {
  return { network: 11 * 2 ** 24 - 2 ** (32 - prefixLength), prefixLength };
}

interface NamedRange {
  readonly name: string;
  readonly path: ConfigurationPath | undefined;
  range(configuration: Configuration): Cidr;
}

const namedRanges: readonly NamedRange[] = [
  { name: "the uplink's 10.0.2.0/24", path: undefined, range: () => uplinkRange },
  { name: "network.cidr", path: ["network", "cidr"], range: ({ network }) => cidr(network.cidr) },
  { name: "network.podCidr", path: ["network", "podCidr"], range: ({ network }) => cidr(network.podCidr) },
  { name: "network.serviceCidr", path: ["network", "serviceCidr"], range: ({ network }) => cidr(network.serviceCidr) },
];

/** One rule for each pair, so that a range that is no range silences only its own pairs. */
const rangesApart: readonly Rule[] = namedRanges.flatMap((one, position) =>
  namedRanges.slice(position + 1).map(
    (other): Rule => ({
      reads: [one.path, other.path].filter((path) => path !== undefined),
      check: (configuration) => checkApart(one, other, configuration),
    }),
  ),
);

function checkApart(one: NamedRange, other: NamedRange, configuration: Configuration): readonly Finding[] {
  const [taken, range] = [one.range(configuration), other.range(configuration)];
  if (!overlaps(taken, range) || other.path === undefined) return [];
  const suffix = one.path === undefined ? "" : ` (${formatCidr(taken)})`;
  return [
    { path: other.path, rule: `must not overlap ${one.name}${suffix}`, fix: "move one of the two to another range" },
  ];
}

/** The segment `etcd` exists only with machines in it. */
const flowPartiesExist: Rule = {
  reads: [
    ["pools", "etcd", "count"],
    ["network", "flows"],
  ],
  check: ({ pools, network }) =>
    network.flows.flatMap((flow, position) =>
      (["from", "to"] as const).flatMap((end): Finding[] =>
        flow[end] === "etcd" && !hasEtcdMachines(pools)
          ? [{ path: ["network", "flows", position, end], ...noEtcdSegment }]
          : [],
      ),
    ),
};

export const networkRules: readonly Rule[] = [
  flowPartiesExist,
  networkSize,
  networkPrivate,
  serviceRangeSize,
  podRangeSize,
  ...rangesApart,
];
