import { balancerNames, balancers, defaultBalancer } from "../../model/balancers";
import { guestPaths } from "../../model/guest-paths";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { renderPacemakerCib } from "../files/pacemaker-cib";
import { commandFile } from "../guest-command";
import type { RoleContent } from "../role-content";
import { corosyncKey } from "./cluster-member";

const units = balancerNames.map((name) => balancers[name].unit);

/**
 * What a running gateway or balancer needs to change `options.failoverBy` and `options.balancer`, see change-balancing.sh. Each
 * change has a side that is not the default: machines with both defaults need nothing in advance, and keep the command afterwards.
 */
export function balancingChange(plan: DataCenterPlan): Required<Pick<RoleContent, "files" | "environment">> {
  const { program, movedBy } = plan.balancing;
  const change = commandFile("balancer/change-balancing", {
    units: units.join(" "),
    either: units.join("\\|"),
    authority: guestPaths.balancerAuthority,
    cluster: guestPaths.futureCluster,
  });
  const later = {
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
  };
}
