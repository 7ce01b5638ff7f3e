import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { commandFile } from "../guest-command";
import { storageBackend } from "../planned-storage";
import { noContent, type RoleContent } from "../role-content";

/** A storage node mounts its data disks and serves the storage backend on them. */
export function storageContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  const mountPoints = node.dataDisks.map(({ mountPoint }) => mountPoint);
  const server = storageBackend(plan)?.server(plan, node) ?? noContent;
  return {
    files: [commandFile("storage/role-ready"), ...server.files],
    environment: { MOUNT_POINTS: mountPoints.join(" "), ...server.environment },
    commands: [...(mountPoints.length === 0 ? [] : [["mkdir", "-p", ...mountPoints]]), ...server.commands],
    enable: server.enable,
  };
}
