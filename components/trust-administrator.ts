import type * as pulumi from "@pulumi/pulumi";
import { guestCommand } from "../model/guest-paths";
import { nodesOf } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";

/** Longer than the command waits for the API server. */
const attemptSeconds = 160;

/**
 * The first stage of a rotation: every API server also accepts the new certificate, before anything uses it. The files of the masters
 * follow and end the former one. A stack without a rotation needs none of it: its seeds have the certificate.
 *
 * @returns empty without a rotation
 */
export function trustAdministrator(
  { plan, secrets, slowdown }: PoolArgs,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): readonly NodeTask[] {
  if (plan.rotations.administrator === undefined) return [];
  const certificate = secrets.getPublic("admin.crt").apply((text) => Buffer.from(text).toString("base64"));
  const tasks: NodeTask[] = [];
  for (const master of nodesOf(plan, "master")) {
    const task = new NodeTask(
      `${master.name}-administrator`,
      {
        node: master.name,
        connection: guestConnection({ plan, secrets, slowdown }, master),
        command: [guestCommand("follow-clients"), certificate],
        attemptSeconds: attemptSeconds * slowdown,
        triggers: [],
      },
      {
        parent,
        // In turn: an API server that is a service restarts.
        dependsOn: [...after, ...tasks.slice(-1)],
        customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }),
      },
    );
    tasks.push(task);
  }
  return tasks;
}
