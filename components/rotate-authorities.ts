import type * as pulumi from "@pulumi/pulumi";
import {
  type AuthorityName,
  type AuthorityRotation,
  authorityNames,
  authorityRotations,
} from "../model/authority-rotations";
import { guestCommand } from "../model/guest-paths";
import { type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than a command waits for etcd, the API server and the other machines together. */
const attemptSeconds = 600;

interface Task {
  readonly authority: AuthorityName;
  readonly stage: AuthorityRotation["stages"][number];
  readonly node: NodePlan;
  /** The machines that the stage is repeated for when they are replaced. */
  readonly machines: readonly VirtualMachine[];
}

/**
 * The stages of rotations of certificate authorities, on one machine after the other, and one rotation after the other. A stack without a
 * rotation needs none of it: its seeds have the authority. On a machine that joined later, they find nothing to do.
 *
 * @param machineOf the machine of a master or a member of etcd
 */
export function rotateAuthorities(
  args: PoolArgs,
  machineOf: (node: NodePlan) => VirtualMachine,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): void {
  let before = after;
  for (const authority of authorityNames) {
    if (args.plan.rotations[authority] === undefined) continue;
    const { role, stages }: AuthorityRotation = authorityRotations[authority];
    const nodes = nodesOf(args.plan, role);
    for (const stage of stages) {
      for (const node of stage.once ? nodes.slice(0, 1) : nodes) {
        const machines = (stage.once ? nodes : [node]).map(machineOf);
        before = [...after, authorityTask(args, { authority, stage, node, machines }, before, parent)];
      }
    }
  }
}

function authorityTask(
  { plan, secrets, slowdown }: PoolArgs,
  { authority, stage, node, machines }: Task,
  before: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): NodeTask {
  const certificate = secrets.getPublic(`${authority}.crt`).apply((text) => Buffer.from(text).toString("base64"));
  return new NodeTask(
    `${node.name}-${authority}-${stage.name}`,
    {
      node: node.name,
      connection: guestConnection({ plan, secrets, slowdown }, node),
      command: [guestCommand(authorityRotations[authority].command), stage.name, certificate],
      ...(stage.name === "reissue" && { stdin: secrets.get(`${authority}.key`) }),
      attemptSeconds: attemptSeconds * slowdown,
      triggers: machines.map(({ machine }) => machine.generation),
    },
    { parent, dependsOn: [...before], customTimeouts: timeLimits(slowdown, { create: 20, update: 20 }) },
  );
}
