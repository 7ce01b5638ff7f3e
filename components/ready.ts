import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { guestCommand } from "../model/guest-paths";
import { type DataCenterPlan, firstMaster, nodesOf } from "../stacks/plan/data-center-plan";
import { remoteConnection } from "./remote-command";
import type { Secrets } from "./secrets";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than a slow machine needs after all nodes have joined. */
const deadlineSeconds = 600;

export interface ReadyArgs {
  readonly plan: DataCenterPlan;
  readonly secrets: Secrets;
  /** Factor by which the machines are slower than native. */
  readonly slowdown: number;
  /** The cluster's machines, masters first; a new machine triggers the check again. */
  readonly machines: readonly VirtualMachine[];
  /** Everything that must precede the check. */
  readonly after: readonly pulumi.Resource[];
}

/** Complete when every node of the cluster is Ready and every pod is running. */
export class Ready extends pulumi.ComponentResource {
  constructor(name: string, args: ReadyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Ready", name, {}, opts);
    const nodes = [...nodesOf(args.plan, "master"), ...nodesOf(args.plan, "worker")].map((node) => node.name);
    new command.remote.Command(
      `${name}-cluster`,
      {
        connection: remoteConnection(args.plan, firstMaster(args.plan), args.secrets),
        create: waitUntilReady(nodes, deadlineSeconds * args.slowdown),
        // The command does not read it: a changed input runs the check again, whereas `triggers` would replace.
        stdin: pulumi.concat(...args.machines.map(({ machine }) => pulumi.interpolate`${machine.generation}\n`)),
        // stderr shows the first problem, one line per change. It is progress and contains no secret.
        logging: "stderr",
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        dependsOn: [...args.after],
        customTimeouts: timeLimits(args.slowdown, { create: 15, update: 15 }),
      },
    );
    this.registerOutputs({});
  }
}

/** Prints the first problem whenever it changes, and all problems at the deadline. */
function waitUntilReady(nodes: readonly string[], seconds: number): string {
  // Node names consist of letters, digits and dashes, so they need no quoting.
  const ask = `${guestCommand("cluster-ready")} ${nodes.join(" ")}`;
  const say = 'first=${missing%%$newline*}; [ "$first" = "$said" ] || echo "$first" >&2; said=$first';
  const loop = `newline="\n"; until missing=$(${ask} 2>&1); do ${say}; sleep 0.5; done`;
  return `timeout ${seconds} sh -c '${loop}' || { ${ask} >&2; exit 1; }`;
}
