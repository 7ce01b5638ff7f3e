import type * as pulumi from "@pulumi/pulumi";
import { laterObjects } from "../cloud-init/files/kubernetes/cluster-objects";
import {
  type AuthorityName,
  type AuthorityRotation,
  type AuthorityStage,
  authorityRotations,
} from "../model/authority-rotations";
import { guestCommand } from "../model/guest-paths";
import { isClusterNode } from "../model/roles";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { base64, followAuthority } from "./follow-authority";
import { guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than a command waits for etcd, the API server and the other machines together. */
const attemptSeconds = 600;

export interface RotateAuthoritiesArgs extends PoolArgs {
  /** Replaced in this order, if they are. */
  readonly authorities: readonly AuthorityName[];
  /** The machine of a node that takes part in a stage. */
  readonly machineOf: (node: NodePlan) => VirtualMachine;
  readonly after: readonly pulumi.Resource[];
}

interface Task {
  readonly authority: AuthorityName;
  readonly stage: AuthorityStage;
  readonly node: NodePlan;
  /** The machines that the stage is repeated for when they are replaced. */
  readonly machines: readonly VirtualMachine[];
}

/**
 * The stages of rotations of certificate authorities, on one machine after the other, and one rotation after the other. A stack without a
 * rotation needs none of it: its seeds have the authority. On a machine that joined later, they find nothing to do.
 *
 * @returns the tasks of the last stage; empty without a rotation
 */
export function rotateAuthorities(args: RotateAuthoritiesArgs, parent: pulumi.Resource): readonly NodeTask[] {
  const { authorities, machineOf, plan } = args;
  let before: readonly NodeTask[] = [];
  for (const authority of authorities) {
    if (plan.rotations[authority] === undefined) continue;
    const { role, stages }: AuthorityRotation = authorityRotations[authority];
    const nodes = nodesOf(plan, role);
    for (const stage of stages) {
      if (stage.everywhere !== undefined) {
        const all = plan.nodes.filter(({ roles }) => isClusterNode(roles) || roles.includes("balancer"));
        const ended = before;
        before = all.map((node) =>
          authorityTask(args, { authority, stage, node, machines: [machineOf(node)] }, ended, parent),
        );
        continue;
      }
      for (const node of stage.once ? nodes.slice(0, 1) : nodes) {
        const machines = (stage.once ? nodes : [node]).map(machineOf);
        before = [authorityTask(args, { authority, stage, node, machines }, before, parent)];
      }
    }
  }
  return before;
}

function authorityTask(
  { plan, secrets, slowdown, after }: RotateAuthoritiesArgs,
  { authority, stage, node, machines }: Task,
  before: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): NodeTask {
  const certificate = base64(secrets.getPublic(`${authority}.crt`));
  const more = moreWords[authority]?.[stage.name]?.({ plan, secrets }) ?? [];
  const ofRole = [guestCommand(authorityRotations[authority].command), stage.name, certificate, ...more];
  return new NodeTask(
    `${node.name}-${authority}-${stage.name}`,
    {
      node: node.name,
      connection: guestConnection({ plan, secrets, slowdown }, node),
      ...(stage.everywhere ? followAuthority(secrets) : { command: ofRole }),
      ...(stage.name === "reissue" && { stdin: secrets.get(`${authority}.key`) }),
      attemptSeconds: attemptSeconds * slowdown,
      triggers: machines.map(({ machine }) => machine.generation),
    },
    { parent, dependsOn: [...after, ...before], customTimeouts: timeLimits(slowdown, { create: 20, update: 20 }) },
  );
}

type Words = (needed: Pick<PoolArgs, "plan" | "secrets">) => readonly pulumi.Input<string>[];

/** What the command of a stage needs to know besides. */
const moreWords: Readonly<Partial<Record<AuthorityName, Readonly<Partial<Record<AuthorityStage["name"], Words>>>>>> = {
  "kubernetes-ca": {
    drop: ({ secrets }) => [base64(secrets.getPublic("admin.crt"))],
    withdraw: ({ plan }) => addOnWorkloads(plan),
  },
};

/** The add-ons whose pods read the authority when they start. */
const addOnWorkloads = (plan: DataCenterPlan): readonly string[] =>
  laterObjects(plan)
    .filter(({ kind }) => kind === "DaemonSet" || kind === "Deployment")
    .map(({ kind, metadata: { name, namespace } }) => `${namespace}/${kind.toLowerCase()}/${name}`);
