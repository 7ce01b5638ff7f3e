import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { firstInterface, segmentOf } from "../network-config";
import { confValue } from "../quoting";
import type { TextFile } from "../role-content";

/**
 * Time in the data centre. The gateway follows the distribution's servers and serves the segments, also while it reaches none
 * of them; all other nodes follow the gateway, so that they agree. System containers have their host's clock: their image
 * masks the service, and the file has no reader.
 */
export const chronyConf = (plan: DataCenterPlan, node: NodePlan): TextFile => ({
  path: "/etc/chrony/conf.d/groundplane.conf",
  mode: "0644",
  content: node.roles.includes("gateway")
    ? `allow ${confValue(plan.cidr)}\nlocal stratum 10\n`
    : `server ${confValue(segmentOf(plan, firstInterface(node)).gateway)} iburst prefer\n`,
  changes: {
    reload: "! systemctl is-active --quiet chrony || systemctl restart chrony",
    check: 'chronyd -p -f "$1" >/dev/null',
  },
});
