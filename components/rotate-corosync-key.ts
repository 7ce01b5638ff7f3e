import type * as pulumi from "@pulumi/pulumi";
import { clusterMembers } from "../cloud-init/files/cluster-members";
import { commandFile } from "../cloud-init/guest-command";
import { guestCommand, guestPaths } from "../model/guest-paths";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than the command waits for all members. */
const attemptSeconds = 120;

/**
 * The gateway and the balancers get the new key of Corosync, and then all of them change to it at once. Neither their files nor this wait for the
 * other: a machine that is created in the middle has the new key, so its files wait for a quorum that it has only afterwards, and when
 * Pacemaker begins to move the floating IP, files start Corosync, which this waits for. Before, machines need no new key: they get it together
 * with Corosync's other files.
 */
export function rotateCorosyncKey(
  { plan, secrets, slowdown, gateway }: PoolArgs,
  balancers: readonly VirtualMachine[],
  parent: pulumi.Resource,
): void {
  const number = plan.rotations["corosync-key"];
  if (number === undefined || plan.balancing.movedBy !== "pacemaker") return;
  const members = clusterMembers(plan);
  const machines = [...balancers, gateway.machine];
  const options = (dependsOn: readonly pulumi.Resource[]): pulumi.CustomResourceOptions => ({
    ...{ parent, dependsOn: [...dependsOn], customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }) },
  });
  const nodes = members.flatMap(({ name }) => plan.nodes.filter((node) => node.name === name));
  const common = (node: NodePlan) => ({
    ...{
      node: node.name,
      connection: guestConnection({ plan, secrets, slowdown }, node),
      attemptSeconds: attemptSeconds * slowdown,
    },
  });
  const placed = nodes.map(
    (node, position) =>
      new NodeTask(
        `${node.name}-corosync-key`,
        {
          ...common(node),
          command: ["sh", "-c", `test -s ${guestPaths.corosyncKey}`],
          triggers: machines.slice(position, position + 1).map(({ machine }) => machine.generation),
          files: [{ path: guestPaths.corosyncKey, mode: "0400", content: secrets.get("corosync-key") }],
        },
        options(machines.map(({ machine }) => machine)),
      ),
  );
  const { path, mode, content } = commandFile("balancer/follow-corosync-key");
  for (const node of nodes.slice(-1)) {
    new NodeTask(
      `${node.name}-corosync-key-use`,
      {
        ...common(node),
        command: [guestCommand("follow-corosync-key"), String(members.length)],
        triggers: [String(number), ...machines.map(({ machine }) => machine.generation)],
        files: [{ path, mode, content }],
      },
      options(placed),
    );
  }
}
