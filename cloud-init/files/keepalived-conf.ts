import { balancers } from "../../model/balancers";
import { fixedTimers } from "../../model/failover-profiles";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

/** The highest priority below that of an address owner. The lower a backup's priority, the longer it waits to take over. */
const HIGHEST = 254;

const check = fixedTimers.balancer;

/**
 * VRRP version 3 by unicast between the two balancers. Both start as backups; the holder of the floating IP keeps it when the
 * other balancer returns (`nopreempt`). A holder whose proxy accepts no connections releases it. It tells its neighbours every second:
 * after both have held the address, one of them may have been the last to do so and hold it no longer.
 */
export function renderKeepalivedConf({ balancing, nodes }: DataCenterPlan, node: NodePlan): string {
  const { unit, socket } = balancers[balancing.program];
  const peers = nodes.filter(({ roles, name }) => roles.includes("balancer") && name !== node.name);
  return `global_defs {
  router_id ${confValue(node.name)}
  vrrp_version 3
  vrrp_garp_master_repeat 4
  vrrp_garp_master_delay 1
  vrrp_garp_master_refresh 1
  enable_script_security
  script_user root
}

vrrp_script ${unit} {
  script "/usr/bin/socat -u OPEN:/dev/null UNIX-CONNECT:${socket}"
  interval ${check.intervalSeconds}
  timeout ${check.timeoutSeconds}
  fall ${check.fall}
  rise ${check.rise}
}

vrrp_instance floating-ip {
  state BACKUP
  nopreempt
  interface dmz
  virtual_router_id 10
  priority ${confValue(HIGHEST - node.index)}
  advert_int ${confValue(balancing.advertisementMs / 1000)}
  unicast_src_ip ${confValue(node.address)}
  unicast_peer {
${peers.map(({ address }) => `    ${confValue(address)}\n`).join("")}  }
  virtual_ipaddress {
    ${confValue(balancing.floatingIp)}/${confValue(balancing.prefixLength)} dev dmz
  }
  track_script {
    ${unit}
  }
}
`;
}
