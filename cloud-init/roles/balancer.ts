import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { renderHaproxyCfg } from "../files/haproxy-cfg";
import { guestCommand } from "../guest-command";
import type { RoleContent, SeedFile } from "../role-content";
import { clusterMemberContent } from "./cluster-member";

/**
 * Pacemaker starts and stops HAProxy and forbids systemd to restart it by `50-pacemaker.conf`; this drop-in sorts after
 * that one, so that a crash is over in 100 ms and Pacemaker need not move anything.
 */
const restartAtOnce = "[Service]\nRestart=always\nRestartSec=100ms\n";

/** HAProxy before the masters. One of a pair shares the floating IP through Pacemaker; a single one simply has it. */
export function balancerContent(plan: DataCenterPlan): RoleContent {
  const { pair } = plan.balancing;
  const cluster = pair ? clusterMemberContent(plan) : undefined;
  return {
    files: [...haproxyFiles(plan), guestCommand("balancer/role-ready"), ...(cluster?.files ?? [])],
    environment: { BALANCER_PAIR: pair ? "yes" : "no" },
    commands: [],
    enable: cluster?.enable ?? ["haproxy.service"],
  };
}

const haproxyFiles = (plan: DataCenterPlan): SeedFile[] => [
  {
    path: "/etc/haproxy/haproxy.cfg",
    mode: "0644",
    content: renderHaproxyCfg(plan),
    changes: { reload: "systemctl try-reload-or-restart haproxy" },
  },
  { path: "/etc/systemd/system/haproxy.service.d/90-restart.conf", mode: "0644", content: restartAtOnce },
];
