// Guests in several segments. test/qemu/guest-program.test.ts has what two guests can show.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GuestStack } from "../support/guest-stack";
import { bareSeed, GUEST_BOOT_MS, guestSkipReason, renderedSeed } from "../support/qemu-guests";

const stack = `guests-${process.pid.toString(36)}`;
const names = ["gateway", "worker-1", "storage-1"] as const;

guestSkipReason().then((skip) => {
  describe("guests on QEMU", { skip, timeout: 2 * GUEST_BOOT_MS }, () => {
    let guests: GuestStack;
    const run = (name: string, script: string): Promise<string> => guests.run(name, script);

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
  });
});
