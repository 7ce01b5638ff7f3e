import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { guestCommand } from "../model/guest-paths";
import { type DataCenterPlan, firstMaster, nodesOf } from "../stacks/plan/data-center-plan";
import { remoteConnection } from "./remote-command";
import type { Secrets } from "./secrets";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than a slow machine needs after all nodes have joined, shorter than a person's patience. */
const deadlineSeconds = 600;

export interface ReadyArgs {
  readonly plan: DataCenterPlan;
  readonly secrets: Secrets;
  /** How many times slower than natively the machines are. */
  readonly slowdown: number;
  /** The cluster's machines, masters first; a new one of them asks the question again. */
  readonly machines: readonly VirtualMachine[];
  /** Everything that must have been done before the question makes sense. */
  readonly after: readonly pulumi.Resource[];
}

/** Stands when every node of the cluster is Ready and every pod runs. */
export class Ready extends pulumi.ComponentResource {
  constructor(name: string, args: ReadyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Ready", name, {}, opts);
    const nodes = [...nodesOf(args.plan, "master"), ...nodesOf(args.plan, "worker")].map((node) => node.name);
    new command.remote.Command(
      `${name}-cluster`,
      {
        connection: remoteConnection(args.plan, firstMaster(args.plan), args.secrets),
        create: waitUntilReady(nodes, deadlineSeconds * args.slowdown),
        // The command reads none of it: a changed input asks the question again, where `triggers` would replace.
        stdin: pulumi.concat(...args.machines.map(({ machine }) => pulumi.interpolate`${machine.generation}\n`)),
        // What is still missing goes to stderr, a line per change; it is progress, and holds no secret.
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

/** Says the first of what is missing whenever that changes, and all of it at the deadline. */
function waitUntilReady(nodes: readonly string[], seconds: number): string {
  // Node names are letters, digits and dashes: safe as words of a shell command.
  const ask = `${guestCommand("cluster-ready")} ${nodes.join(" ")}`;
  const say = 'first=${missing%%$newline*}; [ "$first" = "$said" ] || echo "$first" >&2; said=$first';
  const loop = `newline="\n"; until missing=$(${ask} 2>&1); do ${say}; sleep 0.5; done`;
  return `timeout ${seconds} sh -c '${loop}' || { ${ask} >&2; exit 1; }`;
}
