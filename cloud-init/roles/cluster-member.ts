import { guestPaths } from "../../model/guest-paths";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { renderCorosyncConf } from "../files/corosync-conf";
import { floatingIpAgent, renderPacemakerCib } from "../files/pacemaker-cib";
import { type RoleContent, type SecretFile, unitFile } from "../role-content";
import { script } from "../scripts/read-script";

/**
 * On a slowly booting machine, one of Pacemaker's daemons may contact another before it listens and treat that as fatal. The
 * unit's default settings then keep it and Corosync stopped.
 */
const restarts = `[Unit]
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=1s
`;

/** It comes with the seed, or to a running machine with its changed settings, see balancing-change.ts. */
export const corosyncKey: SecretFile = { path: guestPaths.corosyncKey, mode: "0400", secret: "corosync-key" };

/** Membership in the balancers' cluster, equal on both balancers and the gateway. */
export function clusterMemberContent(plan: DataCenterPlan): RoleContent {
  return {
    files: [
      {
        path: "/etc/corosync/corosync.conf",
        mode: "0644",
        content: renderCorosyncConf(plan),
        changes: {
          reload: "! systemctl is-active --quiet corosync || corosync-cfgtool -R",
          check: 'corosync -t -c "$1"',
        },
      },
      corosyncKey,
      {
        path: `/usr/lib/ocf/resource.d/${floatingIpAgent.provider}/${floatingIpAgent.type}`,
        mode: "0755",
        content: script("balancer/floating-ip"),
        changes: { reload: "" },
      },
      // Only for the first start: afterwards the cluster maintains it.
      {
        path: "/var/lib/pacemaker/cib/cib.xml",
        mode: "0600",
        owner: "hacluster:haclient",
        content: renderPacemakerCib(plan),
      },
      ...["corosync", "pacemaker"].map((unit) => ({
        ...unitFile(`${unit}.service`, "20-restarts", restarts),
        changes: { reload: "systemctl daemon-reload" },
      })),
    ],
    commands: [],
    enable: ["corosync.service", "pacemaker.service"],
  };
}
