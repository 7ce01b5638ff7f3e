import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { script } from "../../cloud-init/scripts/read-script";
import { localHost } from "../../host/local-host";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import type { ReadAnswer } from "../../verify/health/findings";
import { readClock, readClockSource } from "../../verify/health/machine-answers";
import { AnswerReader } from "../../verify/health/questions";
import { eventually, patienceMs } from "../support/cluster-under-test";
import { GuestStack } from "../support/guest-stack";
import { bareSeed, GUEST_BOOT_MS, guestSkipReason, renderedSeed } from "../support/qemu-guests";

const stack = `guests-${process.pid.toString(36)}`;
const names = ["gateway", "worker-1", "storage-1"] as const;

guestSkipReason().then((skip) => {
  describe("guests on QEMU", { skip, timeout: 2 * GUEST_BOOT_MS }, () => {
    let guests: GuestStack;
    const run = (name: string, script: string): Promise<string> => guests.run(name, script);

    /** The file system at a mount point, and the size of its disk in bytes. */
    const lookAt = (mountPoint = ""): string => {
      const words = (column: string): string => `$(findmnt --noheadings --output ${column} --mountpoint ${mountPoint})`;
      return `echo ${words("FSTYPE")} $(lsblk --noheadings --nodeps --bytes --output SIZE ${words("SOURCE")})`;
    };

    before(async () => {
      guests = await GuestStack.start(stack, names, {
        seed: (plan, node, keys) => (node.name === "worker-1" ? bareSeed : renderedSeed)(plan, node, keys),
      });
    });
    after(() => guests?.remove());

    test("cloud-init ends without errors, and every unit is active", async () => {
      for (const name of names) {
        const status = JSON.parse(await run(name, "cloud-init status --format json")) as Record<string, unknown>;
        assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}], name);
        assert.equal(await run(name, "hostname"), name);
        assert.equal(await run(name, "systemctl --failed --no-legend --plain"), "", name);
      }
    });

    test("DHCP gives a MAC address its planned address", async () => {
      const node = guests.node("worker-1");
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
        const { fqdn, address } = guests.node(to);
        const answers = await run(from, `getent hosts ${fqdn}; getent hosts ${address}`);
        const both = [address, fqdn];
        assert.deepEqual(
          answers.split("\n").map((line) => line.split(/\s+/).slice(0, 2)),
          [both, both],
        );
      }
    });

    test("only listed flows pass between segments", async () => {
      const storage = guests.node("storage-1").address;
      await run("storage-1", "systemd-run --quiet python3 -m http.server 9000");
      const listening =
        "until [ \"$(ss -Htln '( sport = :9000 or sport = :24007 )' | wc -l)\" -ge 2 ]; do sleep 1; done";
      await run("storage-1", listening);
      const code = (port: number): Promise<string> =>
        run("worker-1", `bash -c ': </dev/tcp/${storage}/${port}' 2>&1; echo $?`);
      assert.equal(await code(24007), "0", "Gluster's port is listed");
      assert.match(await code(9000), /No route to host|unreachable|denied/, "no other is: the gateway says so at once");
    });

    test("a data disk is formatted and mounted at its planned mount point", async () => {
      const [disk] = guests.node("storage-1").dataDisks;
      assert.equal(await run("storage-1", lookAt(disk?.mountPoint)), `xfs ${(disk?.sizeGiB ?? 0) * 1024 ** 3}`);
    });

    test("a data disk and its file system grow while the guest runs", async () => {
      const [disk] = guests.node("storage-1").dataDisks;
      const { name, uuid, sizeGiB, mountPoint } = disk as NonNullable<typeof disk>;
      await guests.driver.ensureDisk({ stack, name, uuid, sizeGiB: sizeGiB + 2 }, guests.owner);
      await run("storage-1", "/usr/local/lib/groundplane/prepare-volumes");
      assert.equal(await run("storage-1", lookAt(mountPoint)), `xfs ${(sizeGiB + 2) * 1024 ** 3}`);
      const free = Number(await run("storage-1", `df --block-size=1M --output=avail ${mountPoint} | tail -n 1`));
      assert.ok(free > (sizeGiB + 1) * 1024, `${free} MiB are free`);
    });

    test("a clock that is apart from the host's, and one without a source, are named by the rows clock and clock-source", async () => {
      const rows = async () => {
        const reader = new AnswerReader(Date.now());
        const command = `bash -s -- clock <<'EOF'\n${script("health/answer")}\nEOF`;
        for (const line of (await run("storage-1", command)).split("\n")) reader.read(line);
        const answer = reader.answers.get("clock") ?? assert.fail("no answer");
        const shown = (read: ReadAnswer): string =>
          [read("storage-1", answer)].flat().map(({ state, observed }) => `${state}: ${observed}`)[0] ?? "";
        return { clock: shown(readClock), source: shown(readClockSource) };
      };
      const becomes = (what: string, right: (shown: Awaited<ReturnType<typeof rows>>) => boolean) =>
        eventually(what, patienceMs, rows, right);
      // The gateway serves time also without a source of its own.
      await becomes("the clock follows the gateway", ({ source }) => /^healthy: synchronised with /.test(source));
      assert.match((await rows()).clock, /^healthy/);
      const address = guests.plan.segments.find(({ name }) => name === "storage")?.gateway;
      await run("storage-1", `chronyc minpoll ${address} 0 && chronyc maxpoll ${address} 1`);
      // Neither from the gateway nor, through it, from the distribution's servers.
      for (const chain of ["input", "forward"])
        await run("gateway", `nft insert rule inet groundplane ${chain} udp dport 123 drop`);
      try {
        await becomes("its sources are lost", ({ source }) => /^unhealthy: no source responds/.test(source));
        assert.match(
          await run("storage-1", "chronyc tracking"),
          /^Leap status *: Normal$/m,
          "chrony itself is content",
        );
        await run("storage-1", "systemctl restart chrony && date --set '+1 hour'");
        await becomes(
          "both are named",
          ({ clock, source }) =>
            /^unhealthy: differs from this host's by 3[56]\d\d\.\d s$/.test(clock) &&
            source === "unhealthy: not synchronised: no source responds",
        );
      } finally {
        await run("gateway", "systemctl reload nftables");
      }
      await run("storage-1", "systemctl restart chrony && chronyc -n waitsync 120 0 0 1 && chronyc makestep");
      await becomes("both are repaired", ({ clock, source }) => /^healthy/.test(clock) && /^healthy/.test(source));
    });

    test("guests reach the outside by NAT, and the host's loopback only where a test allows it", async () => {
      const server = createServer((_request, response) => response.end("loopback\n"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = (server.address() as { port: number }).port;
      const fetch = `curl --silent --max-time 8 http://${guests.plan.uplink.router}:${port}/ || true`;
      try {
        // The gateway's firewall refuses private addresses; here the network of the driver is asked.
        await run("gateway", `nft add element inet groundplane reachable '{ ${guests.plan.uplink.router} }'`);
        assert.equal(await run("worker-1", fetch), "");
        assert.equal(await run("gateway", fetch), "");
        await createQemuDriver(localHost, { hostLoopback: true }).startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("worker-1", fetch), "loopback");
        await guests.driver.startMachine({ stack, name: "gateway" });
        await sleep(2_000);
        assert.equal(await run("worker-1", fetch), "");
      } finally {
        server.close();
      }
    });

    test("a guest shuts down cleanly when its power button is pressed", async () => {
      await guests.driver.stopMachine({ stack, name: "storage-1" }, GUEST_BOOT_MS);
      assert.equal((await guests.driver.inspectMachine({ stack, name: "storage-1" }))?.power, "stopped");
    });
  });
});
