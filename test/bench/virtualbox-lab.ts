import * as fs from "node:fs/promises";
import { localHost } from "../../host/local-host";
import type { Hypervisor, MachineSpec, Owner, SeedFiles } from "../../hypervisors/hypervisor";
import { createVirtualBoxDriver } from "../../hypervisors/virtualbox/driver";
import { machineFiles } from "../../hypervisors/virtualbox/folders";
import { imageFor } from "../../image/recipes/image-names";
import { imageKindOf } from "../../model/roles";
import { readConfigurationFile } from "../../stacks/config/read-configuration-file";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { exampleText } from "../support/example-stacks";
import { GuestKeys, renderedSeed } from "../support/qemu-guests";
import type { VirtualboxHost } from "../support/virtualbox-host";
import { type RecordedVirtualBox, recordedVirtualBox } from "./virtualbox-calls";

const MIB = 1024 ** 2;
const MORE_MEMORY_MIB = 64;

/** The cost of one operation of the driver. */
export interface Operation extends Pick<RecordedVirtualBox, "count" | "changes"> {
  readonly seconds: number;
}

/** The example `lab`, created by the driver alone with the engine's parallelism. */
export class VirtualboxLab {
  private readonly media = new Map<string, string>();

  private constructor(
    private readonly plan: DataCenterPlan,
    private readonly machines: readonly { readonly spec: MachineSpec; readonly seed: SeedFiles }[],
  ) {}

  static async plan(stack: string): Promise<VirtualboxLab> {
    const { configuration, problems } = readConfigurationFile(exampleText("lab"), { stack });
    if (configuration === undefined) throw new Error(JSON.stringify(problems));
    const plan = planDataCenter(configuration);
    const keys = await GuestKeys.make();
    const machines = plan.nodes.map((node) => ({ spec: machineOf(plan, node), seed: renderedSeed(plan, node, keys) }));
    return new VirtualboxLab(plan, machines);
  }

  get size(): number {
    return this.machines.length;
  }

  get images(): readonly string[] {
    return [...new Set(this.machines.map(({ spec }) => spec.image))];
  }

  /** Creates and starts all machines. */
  create(): Promise<Operation> {
    return this.timed(async (driver) => {
      const segments = this.plan.segments.map(({ name }) => driver.ensureSegment(this.named(name), this.owner(name)));
      const images = this.images.map((name) => driver.ensureImage({ name }));
      const disks = this.disks.map((disk) =>
        driver.ensureDisk({ ...disk, stack: this.plan.stack }, this.owner(disk.name)),
      );
      await Promise.all([...segments, ...images, ...disks]);
      await this.each(async ({ spec, seed }) => {
        await driver.ensureMachine(spec, seed, this.owner(spec.name));
        await driver.startMachine(spec);
      });
    });
  }

  /** Gives stopped machines more memory. */
  change(): Promise<Operation> {
    return this.timed((driver) =>
      this.each(async ({ spec, seed }) => {
        const memoryMiB = spec.memoryMiB + MORE_MEMORY_MIB;
        await driver.ensureMachine({ ...spec, memoryMiB }, seed, this.owner(spec.name));
      }),
    );
  }

  /** Removes everything, including data disks and converted images. */
  destroy(): Promise<Operation> {
    return this.timed(async (driver) => {
      await this.each(({ spec }) => driver.removeMachine(spec, this.owner(spec.name)));
      await Promise.all(this.disks.map(({ name }) => driver.removeDisk(this.named(name), this.owner(name))));
      await Promise.all(this.images.map((name) => driver.releaseImage({ name })));
      for (const { name } of this.plan.segments) await driver.removeSegment(this.named(name), this.owner(name));
    });
  }

  /** Mean size of a machine's linked disk. */
  async diskMib(): Promise<number> {
    const stats = await Promise.all(this.machines.map(({ spec }) => fs.stat(machineFiles(localHost, spec).systemDisk)));
    return stats.reduce((sum, { blocks }) => sum + blocks * 512, 0) / stats.length / MIB;
  }

  /** Powers off every machine on the host and waits until VirtualBox reports it. */
  async powerOff({ manage }: VirtualboxHost): Promise<void> {
    for (const { spec } of this.machines) await manage("controlvm", spec.uuid, "poweroff");
    for (const { spec } of this.machines) {
      while (!(await manage("showvminfo", spec.uuid, "--machinereadable")).includes('VMState="poweroff"'));
    }
  }

  private get disks() {
    return this.plan.nodes.flatMap(({ dataDisks }) => dataDisks);
  }

  private named(name: string) {
    return { stack: this.plan.stack, name };
  }

  private owner(name: string): Owner {
    return { stack: this.plan.stack, urn: `urn:pulumi:${this.plan.stack}::bench::${name}` };
  }

  private async timed(action: (driver: Hypervisor) => Promise<void>): Promise<Operation> {
    const recorded = recordedVirtualBox(this.media);
    const started = performance.now();
    await action(createVirtualBoxDriver(localHost, recorded.box));
    return { seconds: (performance.now() - started) / 1000, count: recorded.count, changes: recorded.changes };
  }

  private async each(action: (machine: VirtualboxLab["machines"][number]) => Promise<unknown>): Promise<void> {
    await Promise.all(this.machines.map(action));
  }
}

/** The same specification as in components/virtual-machine.ts. */
function machineOf({ stack, kubernetes, uplink, hostPorts, balancing }: DataCenterPlan, node: NodePlan): MachineSpec {
  const forwards = [
    { hostPort: hostPorts.ssh, guestPort: 22 },
    { hostPort: hostPorts.api, guestPort: balancing.port },
  ];
  const { name, uuid, roles, cpus, memoryMiB, diskGiB } = node;
  return {
    ...{ stack, name, roles, uuid, cpus, memoryMiB, diskGiB },
    image: imageFor(imageKindOf(roles), kubernetes.version, "disk"),
    nics: node.interfaces.map((nic) => ({ name: nic.name, segment: nic.segment, mac: nic.mac })),
    disks: node.dataDisks.map((disk) => ({ disk: disk.name, mountPoint: disk.mountPoint })),
    ...(roles.includes("gateway") ? { uplink: { mac: uplink.mac, forwards } } : {}),
  };
}
