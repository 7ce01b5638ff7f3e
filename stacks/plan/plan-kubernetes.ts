import { failoverProfiles } from "../../model/failover-profiles";
import type { Configuration } from "../config/configuration";
import { cidr, formatAddress } from "../config/ipv4";
import type { BalancingPlan, KubernetesPlan } from "./data-center-plan";
import { domainOf } from "./plan-names";

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
    runtime: options.runtime,
    controlPlane: options.controlPlane,
    fastProbes: options.fastProbes,
    kubeProxy: options.kubeProxy,
    podSecurity: options.podSecurity,
    ...failoverProfiles[options.failover].kubernetes,
    rebootstrap: options.rebootstrap,
    hasGivenAuthority: configuration.secrets.authority !== undefined,
    podGraceSeconds: options.podGraceSeconds,
  };
}
