import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureImages } from "../../image/build-images";
import { createQemuDriver } from "../../provider/drivers/qemu/driver";
import { imagesFolder } from "../../provider/host/data-folder";
import { closeGuests } from "../../provider/host/guest-ssh";
import type { Owner } from "../../provider/hypervisor";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import {
  bareSeed,
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

const stack = `guests-${process.pid.toString(36)}`;
const owner: Owner = { stack, urn: `urn:pulumi:${stack}::qemu::guest` };
const names = ["gateway", "worker-1", "storage-1"] as const;

guestSkipReason().then((skip) => {
  describe("guests on QEMU", { skip, timeout: 2 * GUEST_BOOT_MS }, () => {
    let host: QemuHost;
    let plan: DataCenterPlan;
    let keys: GuestKeys;
    const driver = createQemuDriver();
    const run = (name: string, script: string): Promise<string> =>
      mustRunInGuest(keys.address(plan, planned(plan, name)), script);

    /** Its file system, and the bytes of the disk below it. */
    const lookAt = (mountPoint = ""): string => {
      const words = (column: string): string => `$(findmnt --noheadings --output ${column} --mountpoint ${mountPoint})`;
      return `echo ${words("FSTYPE")} $(lsblk --noheadings --nodeps --bytes --output SIZE ${words("SOURCE")})`;
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
        const seed = name === "worker-1" ? bareSeed(plan, node, keys) : renderedSeed(plan, node, keys);
        for (const { name, uuid, sizeGiB } of node.dataDisks) {
          await driver.ensureDisk({ stack, name, uuid, sizeGiB }, owner);
        }
        await driver.ensureMachine(guestMachine(plan, node), seed, owner);
        await driver.startMachine({ stack, name });
      }
      for (const name of names) await run(name, "cloud-init status --wait >/dev/null");
    });

    after(async () => {
      await closeGuests();
      for (const machine of await driver.listMachines(stack)) await driver.removeMachine(machine, owner);
      for (const { name } of plan.nodes.flatMap(({ dataDisks }) => dataDisks)) {
        await driver.removeDisk({ stack, name }, owner);
      }
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

    test("DHCP gives a MAC address its planned address", async () => {
      const node = planned(plan, "worker-1");
      const [main] = node.interfaces;
      const addresses = await run("worker-1", `ip -4 -brief address show dev ${main?.name}`);
      assert.match(addresses, new RegExp(` ${node.address}/${main?.prefixLength}(?: |$)`));
      const leases = await run("gateway", "cat /var/lib/misc/dnsmasq.leases");
      assert.match(leases, new RegExp(`${main?.mac} ${node.address} `));
    });

    test("names resolve both ways, in every segment", async () => {
      for (const [from, to] of [
        ["worker-1", "storage-1"],
        ["storage-1", "worker-1"],
      ] as const) {
        const { fqdn, address } = planned(plan, to);
        const answers = await run(from, `getent hosts ${fqdn}; getent hosts ${address}`);
        const both = [address, fqdn];
        assert.deepEqual(
          answers.split("\n").map((line) => line.split(/\s+/).slice(0, 2)),
          [both, both],
        );
      }
    });

    test("between segments only what is listed passes", async () => {
      const storage = planned(plan, "storage-1").address;
      await run("storage-1", "systemd-run --quiet python3 -m http.server 9000");
      const listening =
        "until [ \"$(ss -Htln '( sport = :9000 or sport = :24007 )' | wc -l)\" -ge 2 ]; do sleep 1; done";
      await run("storage-1", listening);
      const code = (port: number): Promise<string> =>
        run("worker-1", `bash -c ': </dev/tcp/${storage}/${port}' 2>&1; echo $?`);
      assert.equal(await code(24007), "0", "Gluster's port is listed");
      assert.match(await code(9000), /No route to host|unreachable|denied/, "no other is: the gateway says so at once");
    });

    test("a data disk is formatted and mounted where the plan says", async () => {
      const [disk] = planned(plan, "storage-1").dataDisks;
      assert.equal(await run("storage-1", lookAt(disk?.mountPoint)), `xfs ${(disk?.sizeGiB ?? 0) * 1024 ** 3}`);
    });

    test("a data disk grows under the running guest, with the file system on it", async () => {
      const [disk] = planned(plan, "storage-1").dataDisks;
      const { name, uuid, sizeGiB, mountPoint } = disk as NonNullable<typeof disk>;
      await driver.ensureDisk({ stack, name, uuid, sizeGiB: sizeGiB + 2 }, owner);
      await run("storage-1", "/usr/local/lib/groundplane/prepare-volumes");
      assert.equal(await run("storage-1", lookAt(mountPoint)), `xfs ${(sizeGiB + 2) * 1024 ** 3}`);
      const free = Number(await run("storage-1", `df --block-size=1M --output=avail ${mountPoint} | tail -n 1`));
      assert.ok(free > (sizeGiB + 1) * 1024, `${free} MiB are free`);
    });

    test("guests reach the world by NAT, but the host's loopback only where a test opens it", async () => {
      const server = createServer((_request, response) => response.end("loopback\n"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = (server.address() as { port: number }).port;
      const fetch = `curl --silent --max-time 8 http://${plan.uplink.router}:${port}/ || true`;
      try {
        assert.equal(await run("worker-1", fetch), "");
        assert.equal(await run("gateway", fetch), "");
        await createQemuDriver({ hostLoopback: true }).startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("worker-1", fetch), "loopback");
        await driver.startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("worker-1", fetch), "");
      } finally {
        server.close();
      }
    });

    test("a guest shuts down in order when its power button is pressed", async () => {
      await driver.stopMachine({ stack, name: "storage-1" }, GUEST_BOOT_MS);
      assert.equal((await driver.inspectMachine({ stack, name: "storage-1" }))?.power, "stopped");
    });
  });
});
