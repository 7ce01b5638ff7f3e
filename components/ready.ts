import * as pulumi from "@pulumi/pulumi";
import { guestCommand } from "../model/guest-paths";
import { isClusterNode } from "../model/roles";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import { NodeTask } from "./resources";
import type { Secrets } from "./secrets";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** One question to the API. */
const attemptSeconds = 30;

export interface ReadyArgs {
  readonly plan: DataCenterPlan;
  readonly secrets: Secrets;
  /** Factor by which the machines are slower than native. */
  readonly slowdown: number;
  /** The cluster's machines, masters first; a new machine or release triggers the check again. */
  readonly machines: readonly VirtualMachine[];
  /** Everything that must precede the check. */
  readonly after: readonly pulumi.Resource[];
}

/** Complete when every node of the cluster is Ready and every pod is running. */
export class Ready extends pulumi.ComponentResource {
  constructor(name: string, args: ReadyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Ready", name, {}, opts);
    const { plan, slowdown } = args;
    const asked = firstMaster(plan);
    const nodes = plan.nodes.filter(({ roles }) => isClusterNode(roles)).map((node) => node.name);
    new NodeTask(
      `${name}-nodes`,
      {
        node: asked.name,
        connection: guestConnection(args, asked),
        command: [guestCommand("cluster-ready"), ...nodes],
        attemptSeconds: attemptSeconds * slowdown,
        // The pods of another release are waited for, too.
        triggers: [...args.machines.map(({ machine }) => machine.generation), plan.kubernetes.version],
      },
      {
        parent: this,
        dependsOn: [...args.after],
        customTimeouts: timeLimits(slowdown, { create: 15, update: 15 }),
      },
    );
    this.registerOutputs({});
  }
}

function firstMaster(plan: DataCenterPlan): NodePlan {
  const [master] = nodesOf(plan, "master");
  if (!master) throw new Error("the plan has no master");
  return master;
}
