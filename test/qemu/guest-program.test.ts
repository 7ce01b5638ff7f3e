// One machine of the product's own components on the real engine: created, unchanged, and grown while it runs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BaseImage } from "../../components/base-image";
import type { Foundation } from "../../components/foundation";
import { Gateway } from "../../components/gateway";
import { guardedMembers } from "../../components/guarded-members";
import { Network } from "../../components/network";
import { Guard } from "../../components/resources";
import { Secrets } from "../../components/secrets";
import { closeGuests, type GuestAddress } from "../../guests/guest-ssh";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { exampleConfiguration } from "../support/example-stacks";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { qemuGuestDisk } from "../support/qemu-guest-disk";
import {
  borrowImage,
  GUEST_BOOT_MS,
  guestImage,
  guestSkipReason,
  mustRunInGuest,
  planned,
} from "../support/qemu-guests";
import { freePort, qemuTracesOf, sealDiskImage } from "../support/qemu-host";

const stackName = `program-${process.pid.toString(36)}`;

/** Only the gateway of a data centre. Its other machines are not created. */
function gatewayProgram(plan: DataCenterPlan) {
  return async () => {
    const driver = "qemu";
    const secrets = new Secrets("secrets", { stack: plan.stack, version: 1, rotations: {} });
    const baseImage = new BaseImage("base-image", { driver, kubernetesVersion: plan.kubernetes.version });
    const guard = new Guard("guard", guardedMembers(plan, driver));
    const network = new Network("network", { stack: plan.stack, driver, segments: plan.segments, guard });
    const foundation: Foundation = { plan, driver, slowdown: 2, secrets, baseImage, guard, network };
    const gateway = new Gateway("gateway", foundation);
    return {
      generation: gateway.machine.machine.generation,
      privateKey: secrets.get("ssh-user-key"),
      hostKey: secrets.hostKeyOf("gateway"),
    };
  };
}

guestSkipReason().then((skip) => {
  describe("a guest through Pulumi", { skip, timeout: 2 * GUEST_BOOT_MS }, () => {
    let project: ProviderProject;
    let hostPorts: { api: number; ssh: number };
    let guest: GuestAddress;
    let generation: string;

    const planOf = (diskGiB: number, volumes: Record<string, number>): DataCenterPlan => {
      const { pools, ...rest } = exampleConfiguration("small");
      const gateway = { ...pools.gateway, cpus: 1, memoryMiB: 512, diskGiB, volumes };
      return planDataCenter({
        ...rest,
        name: stackName,
        hostPorts: { ...hostPorts, nodePorts: [] },
        pools: { ...pools, gateway },
      });
    };
    const stackOf = (plan: DataCenterPlan) => project.program(gatewayProgram(plan));
    const run = (script: string): Promise<string> => mustRunInGuest(guest, script);
    const sizesInGuest = async (): Promise<Record<string, number>> => {
      const lines = await run("lvs --noheadings --nosuffix --units m --options lv_name,lv_size --separator =");
      return Object.fromEntries(
        lines.split("\n").map((line) => [line.trim().split("=")[0], Number(line.split("=")[1])]),
      );
    };
    const sizesAsPlanned = (plan: DataCenterPlan): Record<string, number> =>
      Object.fromEntries(
        planned(plan, "gateway").volumes.map(({ mountPoint, sizeMiB }) => [mountPoint.slice(1) || "root", sizeMiB]),
      );

    before(async () => {
      await ensureImages(localHost, { names: [guestImage()], progress: () => {} });
      const images = imagesFolder();
      project = await providerProject({ inPlace: true });
      process.env.GROUNDPLANE_DATA = project.dataFolder;
      borrowImage(images, guestImage());
      // No machine here uses the other image.
      const kubernetes = imageFor("kubernetes", defaultKubernetesVersion, "disk");
      sealDiskImage(kubernetes, qemuGuestDisk());
      hostPorts = { api: await freePort(), ssh: await freePort() };
    });

    after(async () => {
      await closeGuests();
      const stack = await stackOf(planOf(5, {}));
      await stack.destroy();
      assert.deepEqual(await qemuTracesOf(project.dataFolder, [stackName]), []);
      project.remove();
    });

    test("up creates the machine, and its volumes match the plan", async () => {
      const plan = planOf(5, { "/var": 1 });
      const { outputs } = await (await stackOf(plan)).up();
      generation = outputs.generation?.value;
      const hostKey = outputs.hostKey?.value;
      guest = {
        ...{ bastionPort: hostPorts.ssh, bastionHostKey: hostKey, address: planned(plan, "gateway").address },
        ...{ hostKey, privateKey: outputs.privateKey?.value },
      };
      const status = JSON.parse(await run("cloud-init status --wait --format json"));
      assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}]);
      assert.equal(await run("systemctl --failed --no-legend --plain"), "");
      assert.deepEqual(await sizesInGuest(), sizesAsPlanned(plan));
      await (await stackOf(plan)).up({ expectNoChanges: true });
    });

    test("a preview shows that the disk and /var grow, and up grows them online", async () => {
      const plan = planOf(7, { "/var": 3 });
      const stack = await stackOf(plan);
      const preview = await stack.preview({ color: "never" });
      assert.match(preview.stdout, /gateway grows: disk from 5 to 7 GiB, .*\/var from 1024 to 3072 MiB/);
      assert.equal(preview.changeSummary.replace, undefined);
      const look = "cat /proc/sys/kernel/random/boot_id; df --block-size=M --output=size /var | tail -n 1";
      const [bootBefore, varBefore] = (await run(look)).split("\n") as [string, string];
      const { outputs } = await stack.up();
      const [bootAfter, varAfter] = (await run(look)).split("\n") as [string, string];
      assert.deepEqual(
        [outputs.generation?.value, bootAfter],
        [generation, bootBefore],
        "the same machine, not restarted",
      );
      assert.ok(Number.parseInt(varAfter, 10) > Number.parseInt(varBefore, 10) + 1900, `${varBefore} -> ${varAfter}`);
      assert.deepEqual(await sizesInGuest(), sizesAsPlanned(plan));
      await (await stackOf(plan)).up({ expectNoChanges: true });
    });

    test("a preview refuses a smaller disk or volume with the reason", async () => {
      const smaller = await stackOf(planOf(6, { "/var": 3 }));
      await assert.rejects(
        smaller.preview(),
        /disk of gateway has 7 GiB and cannot shrink to 6 GiB.*set diskGiB to 7 again/s,
      );
      const less = await stackOf(planOf(7, { "/var": 2 }));
      await assert.rejects(less.preview(), /\/var of gateway has 3072 MiB and cannot shrink to 2048 MiB/);
      assert.deepEqual(await sizesInGuest(), sizesAsPlanned(planOf(7, { "/var": 3 })));
    });
  });
});
