import * as pulumi from "@pulumi/pulumi";
import { storageBackend } from "../cloud-init/planned-storage";
import type { StorageBackend } from "../cloud-init/storage-backend";
import { nodesOf } from "../stacks/plan/data-center-plan";
import { guestConnection } from "./guest-connection";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import { NodeTask } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** One pass through its steps, none of which waits. */
const attemptSeconds = 60;

/** The machines with the data disks, which form one pool that serves the volume. */
export class StoragePool extends pulumi.ComponentResource {
  readonly machines: readonly VirtualMachine[];

  constructor(name: string, args: PoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:StoragePool", name, {}, opts);
    this.machines = poolMachines(nodesOf(args.plan, "storage"), args, this);
    // They contain the volume's options, which the pool gets when it is formed.
    const files = rollFiles(this.machines, args);
    const backend = storageBackend(args.plan);
    if (backend) this.form(args, backend, files);
    if (this.machines.length === 1) {
      void pulumi.log.warn(
        "one storage machine keeps one copy: volumes are unavailable while it is down, and lost with it",
        this,
      );
    }
    this.registerOutputs({});
  }

  /** Run again when a machine is recreated, so that it rejoins the pool before the operation ends. */
  private form(
    { plan, secrets, slowdown, gateway }: PoolArgs,
    { formPool }: StorageBackend,
    files: pulumi.Resource,
  ): NodeTask {
    const [first] = nodesOf(plan, "storage");
    if (!first) throw new Error("the plan has no storage machine");
    return new NodeTask(
      "storage-formed",
      {
        node: first.name,
        connection: guestConnection({ plan, secrets, slowdown }, first),
        // It waits for nothing: the task repeats it.
        command: [...formPool, "0"],
        attemptSeconds: attemptSeconds * slowdown,
        triggers: [JSON.stringify(plan.volume), ...this.machines.map(({ machine }) => machine.generation)],
      },
      {
        parent: this,
        // Not before the gateway's firewall is active: it cuts connections that are older than itself.
        dependsOn: [gateway.files, ...this.machines.map(({ machine }) => machine), files],
        customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }),
      },
    );
  }
}
