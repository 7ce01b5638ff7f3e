import type { NodePlan } from "../stacks/plan/data-center-plan";
import { emitYaml } from "./emit-yaml";

/** The instance id is the planned machine's UUID: the same machine never repeats its first boot. */
export function renderMetaData(node: NodePlan): string {
  return emitYaml({ "instance-id": node.uuid, "local-hostname": node.name });
}
