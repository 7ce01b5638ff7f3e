import type { Configuration, FailoverProfile } from "../config/configuration";
import { cidr, formatAddress } from "../config/ipv4";
import type { BalancingPlan, KubernetesPlan } from "./data-center-plan";
import { domainOf } from "./plan-names";

type Patience = Pick<
  KubernetesPlan,
  "nodeSilenceSeconds" | "podPatienceSeconds" | "etcdHeartbeatMs" | "etcdElectionMs"
>;

/**
 * Stock Kubernetes starts the pods of a dead node elsewhere after almost six minutes. A kubelet reports every ten seconds:
 * `fast` misses one report, `calm` three. A silent leader of etcd is replaced after one to two election times; until then
 * nothing can be written, and masters do not count as ready. `calm` has etcd's own defaults.
 */
const patience: Readonly<Record<FailoverProfile, Patience>> = {
  fast: { nodeSilenceSeconds: 20, podPatienceSeconds: 10, etcdHeartbeatMs: 80, etcdElectionMs: 400 },
  calm: { nodeSilenceSeconds: 40, podPatienceSeconds: 60, etcdHeartbeatMs: 100, etcdElectionMs: 1000 },
};

/** kubeadm gives CoreDNS the tenth address of the service range and offers no choice. */
const dnsServiceOffset = 10;

export function planKubernetes(configuration: Configuration, balancing: BalancingPlan): KubernetesPlan {
  const { network, options } = configuration;
  return {
    version: configuration.kubernetesVersion,
    endpoint: `${balancing.floatingIp}:${balancing.port}`,
    podCidr: network.podCidr,
    serviceCidr: network.serviceCidr,
    dnsServiceIp: formatAddress(cidr(network.serviceCidr).network + dnsServiceOffset),
    // The masters' own addresses and names are added by kubeadm; 127.0.0.1 is how the host reaches the API.
    certificateNames: [balancing.floatingIp, `api.${domainOf(configuration.name)}`, "127.0.0.1", "localhost"],
    fastProbes: options.fastProbes,
    ...patience[options.failover],
    rebootstrap: options.rebootstrap,
  };
}
