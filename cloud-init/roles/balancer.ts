import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { renderHaproxyCfg } from "../files/haproxy-cfg";
import { guestCommand } from "../guest-command";
import type { RoleContent, SeedFile } from "../role-content";
import { clusterMemberContent } from "./cluster-member";

/**
 * Pacemaker forbids systemd to restart HAProxy by `50-pacemaker.conf`; this drop-in sorts after that one, so that a
 * crash is over in 100 ms and Pacemaker need not move anything. At boot systemd starts HAProxy before Pacemaker looks,
 * whose own start of a unit takes it two seconds of waiting.
 */
const haproxyUnit = `[Unit]
Before=pacemaker.service

[Service]
Restart=always
RestartSec=100ms
`;

/** HAProxy before the masters. One of a pair shares the floating IP through Pacemaker; a single one simply has it. */
export function balancerContent(plan: DataCenterPlan): RoleContent {
  const { pair } = plan.balancing;
  const cluster = pair ? clusterMemberContent(plan) : undefined;
  return {
    files: [...haproxyFiles(plan), guestCommand("balancer/role-ready"), ...(cluster?.files ?? [])],
    environment: { BALANCER_PAIR: pair ? "yes" : "no" },
    commands: [],
    enable: ["haproxy.service", ...(cluster?.enable ?? [])],
  };
}

const haproxyFiles = (plan: DataCenterPlan): SeedFile[] => [
  {
    path: "/etc/haproxy/haproxy.cfg",
    mode: "0644",
    content: renderHaproxyCfg(plan),
    changes: { reload: "systemctl try-reload-or-restart haproxy" },
  },
  { path: "/etc/systemd/system/haproxy.service.d/90-restart.conf", mode: "0644", content: haproxyUnit },
];
