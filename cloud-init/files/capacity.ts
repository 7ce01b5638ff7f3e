import { guestCommand, guestPaths } from "../../model/guest-paths";
import { isClusterNode } from "../../model/roles";
import type { NodePlan } from "../../stacks/plan/data-center-plan";
import { envLine } from "../quoting";
import { ownUnit, type TextFile } from "../role-content";

export const capacityName = "groundplane-capacity.service";

/** What the plan gives the machine. The kubelet reads a machine's capacity when it starts. */
export function capacityFile({ cpus, memoryMiB, roles }: NodePlan): TextFile {
  const restart = `systemctl daemon-reload && systemctl restart ${capacityName}`;
  return {
    path: guestPaths.capacity,
    mode: "0644",
    content: envLine("CPUS", String(cpus)) + envLine("MEMORY_MIB", String(memoryMiB)),
    changes: { reload: isClusterNode(roles) ? `${restart} && systemctl try-restart kubelet` : restart },
  };
}

/** Only in system containers: a virtual machine has a kernel of its own, which shows what the machine has. */
export const capacityUnit = ownUnit(
  capacityName,
  `[Unit]
Description=Show the planned processors and memory instead of the host's
ConditionVirtualization=container
Before=kubelet.service

[Service]
Type=notify
NotifyAccess=all
ExecStart=${guestCommand("show-capacity")}
Restart=on-failure
RestartSec=2s
TimeoutStopSec=2s

[Install]
WantedBy=multi-user.target
`,
);
