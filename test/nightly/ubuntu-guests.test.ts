// The roles of the infrastructure disk on Ubuntu: the same seeds, other packages. Minutes, and the image once from
// Ubuntu's archive.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureImages } from "../../image/build-images";
import { createQemuDriver } from "../../provider/drivers/qemu/driver";
import { imagesFolder } from "../../provider/host/data-folder";
import { closeGuests } from "../../provider/host/guest-ssh";
import type { Owner } from "../../provider/hypervisor";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { eventually } from "../support/cluster-under-test";
import {
  borrowImage,
  GUEST_BOOT_MS,
  GuestKeys,
  guestImage,
  guestMachine,
  guestPlan,
  guestSkipReason,
  mustRunInGuest,
  planned,
  renderedSeed,
} from "../support/qemu-guests";
import { freePort, makeQemuHost, type QemuHost, qemuTracesOf } from "../support/qemu-host";

const stack = `ubuntu-${process.pid.toString(36)}`;
const owner: Owner = { stack, urn: `urn:pulumi:${stack}::qemu::guest` };
const names = ["gateway", "balancer-1", "balancer-2"] as const;
const image = guestImage("ubuntu");

guestSkipReason().then((skip) => {
  describe("Ubuntu on QEMU", { skip, timeout: 3 * GUEST_BOOT_MS }, () => {
    let host: QemuHost;
    let plan: DataCenterPlan;
    let keys: GuestKeys;
    const driver = createQemuDriver();
    const run = (name: string, script: string): Promise<string> =>
      mustRunInGuest(keys.address(plan, planned(plan, name)), script);

    before(async () => {
      await ensureImages({ names: [image], progress: ({ phase, message }) => console.log(`${phase}: ${message}`) });
      const images = imagesFolder();
      host = makeQemuHost();
      borrowImage(images, image);
      plan = guestPlan(stack, { api: await freePort(), ssh: await freePort() });
      keys = await GuestKeys.make();
      await driver.ensureImage({ name: image });
      for (const { name } of plan.segments) await driver.ensureSegment({ stack, name }, owner);
      for (const name of names) {
        const node = planned(plan, name);
        await driver.ensureMachine({ ...guestMachine(plan, node), image }, renderedSeed(plan, node, keys), owner);
        await driver.startMachine({ stack, name });
      }
      for (const name of names) await run(name, "cloud-init status --wait >/dev/null");
    });

    after(async () => {
      await closeGuests();
      for (const machine of await driver.listMachines(stack)) await driver.removeMachine(machine, owner);
      for (const { name } of plan.segments) await driver.removeSegment({ stack, name }, owner);
      await driver.releaseImage({ name: image });
      assert.deepEqual(await qemuTracesOf(host.data, [stack]), []);
      host.remove();
    });

    test("cloud-init is done without errors, and every unit came up", async (t) => {
      for (const name of names) {
        const status = JSON.parse(await run(name, "cloud-init status --format json")) as Record<string, unknown>;
        assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}], name);
        const system = await run(name, '. /etc/os-release && echo "$PRETTY_NAME, $(uname -r)"');
        t.diagnostic(`${name}: ${system}`);
        assert.match(system, /^Ubuntu 24\.04/);
        assert.equal(await run(name, "systemctl --failed --no-legend --plain"), "", name);
      }
    });

    test("the volumes are those of the plan", async () => {
      for (const name of names) {
        for (const { mountPoint, sizeMiB } of planned(plan, name).volumes) {
          const size = `lsblk --noheadings --bytes --output SIZE $(findmnt --noheadings --output SOURCE --mountpoint ${mountPoint})`;
          assert.equal(Number(await run(name, size)), sizeMiB * 1024 ** 2, `${name} ${mountPoint}`);
        }
      }
    });

    test("each role works, and one balancer has the floating IP", async () => {
      for (const name of names) {
        const ready = () => run(name, "/usr/local/lib/groundplane/node-ready >/dev/null && echo ready || echo not yet");
        await eventually(`${name} works`, GUEST_BOOT_MS, ready, (answer) => answer === "ready");
      }
      const address = `grep -c ' ${plan.balancing.floatingIp}/' || true`;
      const held = await Promise.all(names.slice(1).map((name) => run(name, `ip -4 -brief address | ${address}`)));
      assert.deepEqual([...held].sort(), ["0", "1"]);
    });
  });
});
