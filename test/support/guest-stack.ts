import assert from "node:assert/strict";
import { closeGuests } from "../../guests/guest-ssh";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import type { Hypervisor, Owner, SeedFiles } from "../../hypervisors/hypervisor";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { ensureImages } from "../../image/build-images";
import type { DistributionName } from "../../model/distributions";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { freePort } from "./host-observations";
import {
  borrowImage,
  GuestKeys,
  guestImage,
  guestMachine,
  guestPlan,
  mustRunInGuest,
  planned,
  renderedSeed,
} from "./qemu-guests";
import { makeQemuHost, type QemuHost, qemuTracesOf } from "./qemu-host";

export interface GuestStackOptions {
  readonly distribution?: DistributionName;
  /** A node's seed. Default: the seed that the product renders. */
  readonly seed?: (plan: DataCenterPlan, node: NodePlan, keys: GuestKeys) => SeedFiles;
}

/** Some nodes of a stack as virtual machines in a separate data folder, created by the driver alone. */
export class GuestStack {
  private constructor(
    readonly plan: DataCenterPlan,
    readonly driver: Hypervisor,
    readonly owner: Owner,
    private readonly image: string,
    private readonly keys: GuestKeys,
    private readonly host: QemuHost,
  ) {}

  /** Returns when cloud-init has ended on every node, with or without errors. */
  static async start(stack: string, names: readonly string[], options: GuestStackOptions = {}): Promise<GuestStack> {
    const image = guestImage(options.distribution);
    await ensureImages(localHost, { names: [image], progress: () => {} });
    const images = imagesFolder();
    const host = makeQemuHost();
    borrowImage(images, image);
    const plan = guestPlan(stack, { api: await freePort(), ssh: await freePort() }, options.distribution);
    const owner: Owner = { stack, urn: `urn:pulumi:${stack}::qemu::guest` };
    const guests = new GuestStack(plan, createQemuDriver(localHost), owner, image, await GuestKeys.make(), host);
    try {
      await guests.make(names, options.seed ?? renderedSeed);
      for (const name of names) await guests.run(name, "cloud-init status --wait >/dev/null");
      return guests;
    } catch (error) {
      await guests.remove();
      throw error;
    }
  }

  node(name: string): NodePlan {
    return planned(this.plan, name);
  }

  /** The output of a shell script in a guest. An exit code other than 0 is an error. */
  run(name: string, script: string): Promise<string> {
    return mustRunInGuest(this.keys.address(this.plan, this.node(name)), script);
  }

  /** Removes everything, and fails if something remains. */
  async remove(): Promise<void> {
    const { stack } = this.plan;
    await closeGuests();
    for (const machine of await this.driver.listMachines(stack)) await this.driver.removeMachine(machine, this.owner);
    for (const { name } of this.plan.nodes.flatMap(({ dataDisks }) => dataDisks)) {
      await this.driver.removeDisk({ stack, name }, this.owner);
    }
    for (const { name } of this.plan.segments) await this.driver.removeSegment({ stack, name }, this.owner);
    await this.driver.releaseImage({ name: this.image });
    assert.deepEqual(await qemuTracesOf(this.host.data, [stack]), []);
    this.host.remove();
  }

  private async make(names: readonly string[], seed: NonNullable<GuestStackOptions["seed"]>): Promise<void> {
    const { stack, segments } = this.plan;
    const { driver, owner, image } = this;
    await driver.ensureImage({ name: image });
    for (const { name } of segments) await driver.ensureSegment({ stack, name }, owner);
    for (const name of names) {
      const node = this.node(name);
      for (const { name, uuid, sizeGiB } of node.dataDisks) {
        await driver.ensureDisk({ stack, name, uuid, sizeGiB }, owner);
      }
      await driver.ensureMachine({ ...guestMachine(this.plan, node), image }, seed(this.plan, node, this.keys), owner);
      await driver.startMachine({ stack, name });
    }
  }
}
