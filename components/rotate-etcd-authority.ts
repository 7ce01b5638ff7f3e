import type * as pulumi from "@pulumi/pulumi";
import { guestCommand } from "../model/guest-paths";
import { type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than the command waits for etcd, the API server and the other members together. */
const attemptSeconds = 600;

/** Every member ends one stage before the first member begins the next. */
const stages = ["trust", "reissue", "drop"] as const;

/**
 * The stages of a rotation of etcd's authority, on one member after the other. A stack without a rotation needs none of it: its seeds
 * have the authority. On a machine that joined later, they find nothing to do.
 *
 * @param machineOf the machine of a member of etcd
 */
export function rotateEtcdAuthority(
  { plan, secrets, slowdown }: PoolArgs,
  machineOf: (node: NodePlan) => VirtualMachine,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): void {
  if (plan.rotations["etcd-ca"] === undefined) return;
  const authority = secrets.getPublic("etcd-ca.crt").apply((text) => Buffer.from(text).toString("base64"));
  let before: readonly pulumi.Resource[] = after;
  for (const stage of stages) {
    for (const member of nodesOf(plan, "etcd")) {
      const task = new NodeTask(
        `${member.name}-etcd-ca-${stage}`,
        {
          node: member.name,
          connection: guestConnection(plan, member, secrets),
          command: [guestCommand("etcd-authority"), stage, authority],
          ...(stage === "reissue" && { stdin: secrets.get("etcd-ca.key") }),
          attemptSeconds: attemptSeconds * slowdown,
          triggers: [machineOf(member).machine.generation],
        },
        { parent, dependsOn: [...before], customTimeouts: timeLimits(slowdown, { create: 20, update: 20 }) },
      );
      before = [...after, task];
    }
  }
}
