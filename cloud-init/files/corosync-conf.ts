import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";
import { type ClusterMember, clusterMembers } from "./cluster-members";

/**
 * Three members and a plain quorum: with `two_node` or `expected_votes`, a single member would count as complete.
 * `token_coefficient: 0` because the third member would otherwise add 650 ms to the token timeout. The ping times are explicit
 * because knet rejects those that it derives from a token below 400 ms.
 */
export function renderCorosyncConf(plan: DataCenterPlan): string {
  const { tokenMs, consensusMs, knetPingIntervalMs, knetPingTimeoutMs } = plan.balancing;
  return `totem {
  version: 2
  cluster_name: ${confValue(plan.stack)}
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
  token: ${confValue(tokenMs)}
  token_coefficient: 0
  consensus: ${confValue(consensusMs)}
  interface {
    linknumber: 0
    knet_ping_interval: ${confValue(knetPingIntervalMs)}
    knet_ping_timeout: ${confValue(knetPingTimeoutMs)}
    knet_pong_count: 1
  }
}

nodelist {
${clusterMembers(plan).map(memberBlock).join("")}}

quorum {
  provider: corosync_votequorum
}

logging {
  to_logfile: no
  to_syslog: yes
}
`;
}

const memberBlock = ({ name, nodeId, address }: ClusterMember): string => `  node {
    ring0_addr: ${confValue(address)}
    name: ${confValue(name)}
    nodeid: ${nodeId}
  }
`;
