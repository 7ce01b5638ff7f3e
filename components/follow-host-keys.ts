import type * as pulumi from "@pulumi/pulumi";
import { guestPaths } from "../model/guest-paths";
import type { Foundation } from "./foundation";
import { guestConnection } from "./guest-connection";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";

/** Of a command that looks at a file. */
const attemptSeconds = 30;

/**
 * The end of a rotation of the nodes' SSH keys. Files bring the new key to a node; then it has to present it in another connection, and its former
 * one is not accepted again. The gateway does so first, because all connections go through it.
 *
 * @param after the files of all nodes, and their images: a failed exchange brings back a disk that may have the former key
 * @returns empty without a rotation
 */
export function followHostKeys(
  { plan, secrets, slowdown }: Pick<Foundation, "plan" | "secrets" | "slowdown">,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): readonly NodeTask[] {
  if (plan.rotations["ssh-host-keys"] === undefined) return [];
  const tasks: NodeTask[] = [];
  const first = plan.nodes.filter(({ name }) => name === "gateway");
  const others = plan.nodes.filter((node) => !first.includes(node));
  for (const node of [...first, ...others]) {
    const connection = guestConnection({ plan, secrets, slowdown }, node);
    tasks.push(
      new NodeTask(
        `${node.name}-host-key`,
        {
          node: node.name,
          connection: { ...connection, hostKeyIsPresent: true },
          command: ["sh", "-c", `test -s ${guestPaths.presentHostKey}`],
          attemptSeconds: attemptSeconds * slowdown,
          triggers: [],
        },
        {
          parent,
          dependsOn: [...after, ...tasks.slice(0, 1)],
          customTimeouts: timeLimits(slowdown, { create: 5, update: 5 }),
        },
      ),
    );
  }
  return tasks;
}
