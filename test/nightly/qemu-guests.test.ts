import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureImages } from "../../image/build-images";
import { createQemuDriver } from "../../provider/drivers/qemu/driver";
import { imagesFolder } from "../../provider/host/data-folder";
import { closeGuests, runInGuest } from "../../provider/host/guest-ssh";
import type { Owner } from "../../provider/hypervisor";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import {
  bareSeed,
  borrowImage,
  GuestKeys,
  guestImage,
  guestMachine,
  guestPlan,
  planned,
  renderedSeed,
} from "../support/qemu-guests";
import { freePort, makeQemuHost, type QemuHost, qemuSkipReason, qemuTracesOf } from "../support/qemu-host";

/** Under emulation three guests at once need minutes, on a busy host many. */
const BOOT_MS = 20 * 60_000;
const stack = `guests-${process.pid.toString(36)}`;
const owner: Owner = { stack, urn: `urn:pulumi:${stack}::qemu::guest` };
const names = ["gateway", "master-1", "storage-1"] as const;

async function skipReason(): Promise<string | false> {
  const reason = await qemuSkipReason();
  if (reason || process.getuid?.() === 0) return reason;
  return "the image of these guests is built as root";
}

skipReason().then((skip) => {
  describe("guests on QEMU", { skip, timeout: 2 * BOOT_MS }, () => {
    let host: QemuHost;
    let plan: DataCenterPlan;
    let keys: GuestKeys;
    const driver = createQemuDriver();
    const run = async (name: string, script: string): Promise<string> => {
      const { stdout } = await runInGuest(keys.address(plan, planned(plan, name)), script, { timeoutMs: 120_000 });
      return stdout.trimEnd();
    };

    before(async () => {
      await ensureImages({ names: [guestImage()], progress: () => {} });
      const images = imagesFolder();
      host = makeQemuHost();
      borrowImage(images, guestImage());
      plan = guestPlan(stack, { api: await freePort(), ssh: await freePort() });
      keys = await GuestKeys.make();
      await driver.ensureImage({ name: guestImage() });
      for (const { name } of plan.segments) await driver.ensureSegment({ stack, name }, owner);
      for (const name of names) {
        const node = planned(plan, name);
        const seed = name === "gateway" ? renderedSeed(plan, node, keys) : bareSeed(node, keys);
        await driver.ensureMachine(guestMachine(plan, node), seed, owner);
        await driver.startMachine({ stack, name });
      }
      for (const name of names) {
        const guest = keys.address(plan, planned(plan, name));
        await runInGuest(guest, "cloud-init status --wait >/dev/null", { deadlineMs: BOOT_MS, timeoutMs: BOOT_MS });
      }
    });

    after(async () => {
      await closeGuests();
      for (const machine of await driver.listMachines(stack)) await driver.removeMachine(machine, owner);
      for (const { name } of plan.segments) await driver.removeSegment({ stack, name }, owner);
      await driver.releaseImage({ name: guestImage() });
      assert.deepEqual(await qemuTracesOf(host.data, [stack]), []);
      host.remove();
    });

    test("cloud-init is done without errors, and every unit came up", async () => {
      for (const name of names) {
        const status = JSON.parse(await run(name, "cloud-init status --format json")) as Record<string, unknown>;
        assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}], name);
        assert.equal(await run(name, "hostname"), name);
        assert.equal(await run(name, "systemctl --failed --no-legend --plain"), "", name);
      }
    });

    test("DHCP gives each MAC address its planned address", async () => {
      for (const name of ["master-1", "storage-1"] as const) {
        const node = planned(plan, name);
        const [main] = node.interfaces;
        const addresses = await run(name, `ip -4 -brief address show dev ${main?.name}`);
        assert.match(addresses, new RegExp(` ${node.address}/${main?.prefixLength} `));
        assert.match(
          await run("gateway", "cat /var/lib/misc/dnsmasq.leases"),
          new RegExp(`${main?.mac} ${node.address} `),
        );
      }
    });

    test("names resolve both ways", async () => {
      const storage = planned(plan, "storage-1");
      const lookups = `getent hosts ${storage.fqdn}; getent hosts ${storage.address}`;
      const said = await run("master-1", lookups);
      assert.deepEqual(
        said.split("\n").map((line) => line.split(/\s+/).slice(0, 2)),
        [
          [storage.address, storage.fqdn],
          [storage.address, storage.fqdn],
        ],
      );
    });

    test("between segments only what is listed passes", async () => {
      const storage = planned(plan, "storage-1").address;
      await run(
        "storage-1",
        "for port in 24007 9000; do systemd-run --quiet python3 -m http.server $port; done; sleep 5",
      );
      const code = (port: number): Promise<string> =>
        run("master-1", `curl --silent --max-time 30 --output /dev/null http://${storage}:${port}/; echo $?`);
      assert.equal(await code(24007), "0", "Gluster's port is listed");
      assert.equal(await code(9000), "7", "no other is: the gateway says so at once");
    });

    test("guests reach the world by NAT, but the host's loopback only where a test opens it", async () => {
      const server = createServer((_request, response) => response.end("loopback\n"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = (server.address() as { port: number }).port;
      const fetch = `curl --silent --max-time 8 http://${plan.uplink.router}:${port}/ || true`;
      try {
        assert.equal(await run("master-1", fetch), "");
        assert.equal(await run("gateway", fetch), "");
        await createQemuDriver({ hostLoopback: true }).startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("master-1", fetch), "loopback");
        await driver.startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("master-1", fetch), "");
      } finally {
        server.close();
      }
    });

    test("a disk grows under the running guest", async () => {
      const node = planned(plan, "storage-1");
      const spec = guestMachine(plan, node);
      await driver.ensureMachine({ ...spec, diskGiB: spec.diskGiB + 1 }, bareSeed(node, keys), owner);
      const disk = await run(
        "storage-1",
        "lsblk --bytes --nodeps --noheadings --output SIZE /dev/disk/by-id/virtio-system",
      );
      assert.equal(Number(disk), (spec.diskGiB + 1) * 1024 ** 3);
    });

    test("a guest shuts down in order when its power button is pressed", async () => {
      await driver.stopMachine({ stack, name: "storage-1" }, BOOT_MS);
      assert.equal((await driver.inspectMachine({ stack, name: "storage-1" }))?.power, "stopped");
    });
  });
});
