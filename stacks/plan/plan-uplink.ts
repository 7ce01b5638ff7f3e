import type { UplinkSpec } from "../../model/hypervisor-objects";
import { ports } from "../../model/ports";
import type { DataCenterPlan } from "./data-center-plan";
import { publishedServices } from "./plan-add-ons";

/** The gateway's uplink, with the only host ports that are forwarded into the data centre. */
export function uplinkOf(plan: DataCenterPlan): UplinkSpec {
  const { uplink, hostPorts, balancing } = plan;
  return {
    mac: uplink.mac,
    forwards: [
      { hostPort: hostPorts.ssh, guestPort: ports.ssh },
      { hostPort: hostPorts.api, guestPort: balancing.port },
      ...hostPorts.nodePorts.map(({ port, nodePort }) => ({ hostPort: port, guestPort: nodePort })),
      ...publishedServices(plan).map(({ port, guestPort }) => ({ hostPort: port, guestPort })),
    ],
    ...(uplink.reachable.length > 0 && { reachable: uplink.reachable }),
  };
}
