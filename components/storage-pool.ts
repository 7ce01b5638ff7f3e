import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { storageBackend } from "../cloud-init/planned-storage";
import type { StorageBackend } from "../cloud-init/storage-backend";
import { nodesOf } from "../stacks/plan/data-center-plan";
import { areGuestsSimulated } from "./guest-connection";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import { remoteConnection } from "./remote-command";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

/** Longer than a slow machine needs to boot three others, shorter than the command's own limit. */
const deadlineSeconds = 540;

/** The machines with the data disks, which form one pool that serves the volume. */
export class StoragePool extends pulumi.ComponentResource {
  readonly machines: readonly VirtualMachine[];

  constructor(name: string, args: PoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:StoragePool", name, {}, opts);
    this.machines = poolMachines(nodesOf(args.plan, "storage"), args, this);
    const backend = storageBackend(args.plan);
    const formed = backend && !areGuestsSimulated(args.driver) ? [this.form(args, backend)] : [];
    if (this.machines.length === 1) {
      void pulumi.log.warn(
        "one storage machine keeps one copy: volumes are unavailable while it is down, and lost with it",
        this,
      );
    }
    rollFiles(this.machines, args, formed);
    this.registerOutputs({});
  }

  /** Run again when a machine is recreated, so that it rejoins the pool before the operation ends. */
  private form({ plan, secrets, slowdown, gateway }: PoolArgs, { formPool }: StorageBackend): command.remote.Command {
    const [first] = nodesOf(plan, "storage");
    if (!first) throw new Error("the plan has no storage machine");
    return new command.remote.Command(
      "storage-volume",
      {
        connection: remoteConnection(plan, first, secrets),
        create: `${formPool.join(" ")} ${deadlineSeconds}`,
        // The command does not read it: a changed input runs it again, whereas `triggers` would replace.
        stdin: pulumi.concat(
          `${JSON.stringify(plan.volume)}\n`,
          ...this.machines.map(({ machine }) => pulumi.interpolate`${machine.generation}\n`),
        ),
        logging: "stderr",
        addPreviousOutputInEnv: false,
      },
      {
        parent: this,
        // Not before the gateway's firewall is active: it cuts connections that are older than itself.
        dependsOn: [gateway.files, ...this.machines.map(({ machine }) => machine)],
        customTimeouts: timeLimits(slowdown, { create: 10, update: 10 }),
      },
    );
  }
}
