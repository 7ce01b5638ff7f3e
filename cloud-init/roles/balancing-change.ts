import { balancerNames, balancers, defaultBalancer } from "../../model/balancers";
import { guestPaths } from "../../model/guest-paths";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { renderPacemakerCib } from "../files/pacemaker-cib";
import { commandFile } from "../guest-command";
import type { RoleContent, TextFile } from "../role-content";
import { corosyncKey } from "./cluster-member";

const units = balancerNames.map((name) => balancers[name].unit);

/**
 * What a running gateway or balancer needs to change `options.failoverBy`, `options.balancer` or the number of balancers, see
 * change-balancing.sh. It comes with the changed settings. Files of its own remain where earlier versions had them: for each change
 * of a pair that has a side that is not the default.
 */
export function balancingChange(
  plan: DataCenterPlan,
): Required<Pick<RoleContent, "files" | "environment" | "withSettings">> {
  const { program, movedBy } = plan.balancing;
  const change = commandFile("balancer/change-balancing", {
    units: units.join(" "),
    either: units.join("\\|"),
    authority: guestPaths.balancerAuthority,
    cluster: guestPaths.futureCluster,
  });
  const later: TextFile = {
    path: guestPaths.futureCluster,
    mode: "0644",
    content: renderPacemakerCib(plan),
    changes: { reload: "" },
  };
  return {
    files: [
      ...(program === defaultBalancer && movedBy !== "keepalived" ? [] : [change]),
      ...(movedBy === "keepalived" ? [later, corosyncKey] : []),
    ],
    environment: program === defaultBalancer ? {} : { BALANCER: program },
    // Machines of a stack with one balancer were created without them.
    withSettings: movedBy === "static" ? [change] : [change, later, corosyncKey],
  };
}
