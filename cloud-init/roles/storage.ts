import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { guestCommand } from "../guest-command";
import type { RoleContent } from "../role-content";

/** A storage node has its data disks mounted and nothing on them yet. */
export function storageContent(_plan: DataCenterPlan, node: NodePlan): RoleContent {
  const mountPoints = node.dataDisks.map(({ mountPoint }) => mountPoint);
  return {
    files: [guestCommand("storage/role-ready")],
    environment: { MOUNT_POINTS: mountPoints.join(" ") },
    commands: mountPoints.length === 0 ? [] : [["mkdir", "-p", ...mountPoints]],
    enable: [],
  };
}
