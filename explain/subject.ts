import { nodeContent } from "../cloud-init/render-node-seed";
import type { SeedFile } from "../cloud-init/role-content";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import type { ExplainedCommand } from "./explanation";

/** A file on a machine. */
export interface PlacedFile {
  readonly node: NodePlan;
  readonly file: SeedFile;
}

/** What is explained: the plan of a stack with everything that is rendered from it, and the commands. */
export interface Subject {
  readonly plan: DataCenterPlan;
  readonly files: readonly PlacedFile[];
  readonly commands: readonly ExplainedCommand[];
  /** Whether its machines are system containers; absent while that is open. */
  readonly isInContainers?: boolean | undefined;
}

export const subjectOf = (
  plan: DataCenterPlan,
  commands: readonly ExplainedCommand[],
  isInContainers?: boolean,
): Subject => ({
  ...{ plan, commands, isInContainers },
  files: plan.nodes.flatMap((node) => nodeContent(plan, node).files.map((file) => ({ node, file }))),
});

/** e.g. `master-1, master-2, worker-1`; of many, the first and how many more there are. */
export function listed(names: readonly string[], most = 6): string {
  const unique = [...new Set(names)];
  if (unique.length <= most) return unique.join(", ");
  return `${unique.slice(0, most).join(", ")} and ${unique.length - most} more`;
}

/** A command of this stack. The default stack needs no name. */
export const onStack = ({ plan }: Pick<Subject, "plan">, command: string): string =>
  `npx groundplane ${command}${plan.stack === "lab" ? "" : ` --stack ${plan.stack}`}`;

/** A command on a node. The shell of this host must not read what is for that of the node. */
export const onNode = (subject: Pick<Subject, "plan">, node: string, command: string): string =>
  `${onStack(subject, `ssh ${node}`)} -- ${/[|'"$;]/.test(command) ? `"${command}"` : command}`;
