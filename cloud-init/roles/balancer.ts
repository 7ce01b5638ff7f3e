import { guestCommand, guestPaths } from "../../model/guest-paths";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { renderHaproxyCfg } from "../files/haproxy-cfg";
import { renderKeepalivedConf } from "../files/keepalived-conf";
import { commandFile } from "../guest-command";
import { ownUnit, type RoleContent, type SeedFile, unitFile } from "../role-content";
import { clusterMemberContent } from "./cluster-member";

type Content = Pick<RoleContent, "files" | "enable">;

/** HAProxy in front of the masters. A pair shares the floating IP; a single balancer owns it. */
export function balancerContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  const { movedBy } = plan.balancing;
  const mover = movers[movedBy](plan, node);
  return {
    files: [
      ...haproxyFiles(plan),
      commandFile("balancer/role-ready"),
      commandFile("balancer/reload-haproxy"),
      ...mover.files,
    ],
    environment: { FLOATING_IP_BY: movedBy },
    commands: [],
    enable: ["haproxy.service", ...mover.enable],
  };
}

/**
 * Pacemaker forbids systemd to restart HAProxy by `50-pacemaker.conf`; this drop-in sorts after that one, so that
 * HAProxy recovers from a crash in 100 ms without a move.
 */
const haproxyUnit = `[Service]
Restart=always
RestartSec=100ms
`;

/**
 * At boot HAProxy runs before Pacemaker checks it, because Pacemaker's own start of a unit waits two seconds. An ordering between
 * the units would have the same effect, but would block every stop: Pacemaker stops HAProxy, which would wait for Pacemaker.
 */
const haproxyFirst = `[Service]
ExecStartPre=-/usr/bin/systemctl start haproxy.service
`;

/**
 * Releases the address as soon as Corosync loses quorum on this balancer, 250 ms before the majority takes it over. Pacemaker
 * releases it as well, but only after it has elected a controller, which may be after the takeover.
 */
const guardUnit = "quorum-guard.service";

const quorumGuard = `[Unit]
Description=Releases the floating IP without a majority
After=corosync.service
PartOf=corosync.service
# Without Corosync it ends at once, and comes again until Corosync is back.
StartLimitIntervalSec=0

[Service]
ExecStart=${guestCommand("quorum-guard")}
Restart=always
RestartSec=1
`;

/** Never both: each of the two programs would hold the address. */
const keepalivedUnit = `[Unit]
Conflicts=pacemaker.service corosync.service
After=haproxy.service
`;

const movers: Readonly<
  Record<DataCenterPlan["balancing"]["movedBy"], (plan: DataCenterPlan, node: NodePlan) => Content>
> = {
  pacemaker(plan) {
    const { files, enable } = clusterMemberContent(plan);
    const guard = ownUnit(guardUnit, quorumGuard, `systemctl try-restart ${guardUnit}`);
    const first = unitFile("pacemaker.service", "10-haproxy-first", haproxyFirst);
    const command = { ...commandFile("balancer/quorum-guard"), changes: guard.changes };
    return { files: [...files, first, guard, command], enable: [...enable, guardUnit] };
  },
  keepalived: (plan, node) => ({
    files: [
      unitFile("keepalived.service", "10-floating-ip", keepalivedUnit),
      {
        path: "/etc/keepalived/keepalived.conf",
        mode: "0644",
        content: renderKeepalivedConf(plan, node),
        changes: {
          reload: "systemctl try-reload-or-restart keepalived",
          check: 'keepalived --config-test --use-file "$1"',
        },
      },
    ],
    enable: ["keepalived.service"],
  }),
  static: () => ({ files: [], enable: [] }),
};

const haproxyFiles = (plan: DataCenterPlan): SeedFile[] => [
  // Before the file that names it, which HAProxy checks.
  {
    path: guestPaths.balancerAuthority,
    mode: "0644",
    secret: "kubernetes-ca.crt",
    changes: { reload: guestCommand("reload-haproxy") },
  },
  {
    path: "/etc/haproxy/haproxy.cfg",
    mode: "0644",
    content: renderHaproxyCfg(plan),
    changes: { reload: guestCommand("reload-haproxy"), check: 'haproxy -c -f "$1"' },
  },
  unitFile("haproxy.service", "90-restart", haproxyUnit),
];
