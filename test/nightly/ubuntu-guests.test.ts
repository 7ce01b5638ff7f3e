// The roles of the infrastructure disk on Ubuntu: the same seeds, other packages. Takes minutes, and the first run builds
// the image from Ubuntu's archive.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/cluster-under-test";
import { GuestStack } from "../support/guest-stack";
import { GUEST_BOOT_MS, guestSkipReason } from "../support/qemu-guests";

const stack = `ubuntu-${process.pid.toString(36)}`;
const names = ["gateway", "balancer-1", "balancer-2"] as const;

guestSkipReason().then((skip) => {
  describe("Ubuntu on QEMU", { skip, timeout: 3 * GUEST_BOOT_MS }, () => {
    let guests: GuestStack;
    const run = (name: string, script: string): Promise<string> => guests.run(name, script);

    before(async () => {
      guests = await GuestStack.start(stack, names, { distribution: "ubuntu" });
    });
    after(() => guests?.remove());

    test("cloud-init ends without errors, and every unit is active", async (t) => {
      for (const name of names) {
        const status = JSON.parse(await run(name, "cloud-init status --format json")) as Record<string, unknown>;
        assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}], name);
        const system = await run(name, '. /etc/os-release && echo "$PRETTY_NAME, $(uname -r)"');
        t.diagnostic(`${name}: ${system}`);
        assert.match(system, /^Ubuntu 24\.04/);
        assert.equal(await run(name, "systemctl --failed --no-legend --plain"), "", name);
      }
    });

    test("the volumes match the plan", async () => {
      for (const name of names) {
        for (const { mountPoint, sizeMiB } of guests.node(name).volumes) {
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
      const address = `grep -c ' ${guests.plan.balancing.floatingIp}/' || true`;
      const held = await Promise.all(names.slice(1).map((name) => run(name, `ip -4 -brief address | ${address}`)));
      assert.deepEqual([...held].sort(), ["0", "1"]);
    });
  });
});
