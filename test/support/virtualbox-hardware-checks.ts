// The sealed image on the hardware of a VirtualBox machine.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { closeGuests } from "../../guests/guest-ssh";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { seedIso } from "../../hypervisors/seed-iso";
import { ensureImages } from "../../image/build-images";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { freePort } from "./host-observations";
import {
  GUEST_BOOT_MS,
  GuestKeys,
  guestImage,
  guestMachine,
  guestPlan,
  mustRunInGuest,
  planned,
  renderedSeed,
} from "./qemu-guests";
import { type Firmware, startVirtualboxHardware } from "./virtualbox-hardware";

interface Guest {
  readonly plan: DataCenterPlan;
  readonly keys: GuestKeys;
  readonly process: ChildProcess;
  readonly consoleLog: string;
}

/** A gateway, because it has the most network cards and a forwarded port. */
async function startGateway(folder: string, firmware: Firmware): Promise<Guest> {
  const plan = guestPlan(`hardware-${firmware}`, { api: await freePort(), ssh: await freePort() });
  const node = planned(plan, "gateway");
  const keys = await GuestKeys.make();
  const file = (name: string): string => path.join(folder, `${firmware}-${name}`);
  const files = {
    ...{ disk: file("disk.qcow2"), seed: file("seed.iso"), consoleLog: file("console.log") },
    dataDisks: [file("data-1.qcow2"), file("data-2.qcow2")],
  };
  const image = path.join(imagesFolder(), guestImage(), "disk.raw");
  const spec = guestMachine(plan, node);
  qemuImg("-b", image, "-F", "raw", files.disk, `${spec.diskGiB}G`);
  for (const [index, disk] of files.dataDisks.entries()) qemuImg(disk, `${index + 1}G`);
  fs.writeFileSync(files.seed, seedIso(renderedSeed(plan, node, keys)));
  return { plan, keys, process: startVirtualboxHardware(spec, firmware, files), consoleLog: files.consoleLog };
}

const qemuImg = (...words: string[]) => execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...words]);

const run = ({ plan, keys }: Guest, script: string): Promise<string> =>
  mustRunInGuest(keys.address(plan, planned(plan, "gateway")), script);

/** @param skip why it cannot be tested here */
export function checkVirtualboxHardware(firmware: Firmware, skip: string | false): void {
  describe(`VirtualBox's hardware, started by ${firmware}`, { skip, timeout: 2 * GUEST_BOOT_MS }, () => {
    let guest: Guest;
    let folder: string;

    before(async () => {
      await ensureImages(localHost, { names: [guestImage()], progress: () => {} });
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "gp-hardware-"));
      guest = await startGateway(folder, firmware);
    });

    after(async () => {
      await closeGuests();
      const { process } = guest;
      if (process.exitCode === null && process.kill()) await once(process, "exit");
      fs.rmSync(folder, { recursive: true, force: true });
    });

    test("the image boots, and its seed runs without errors", async () => {
      const status = JSON.parse(await run(guest, "cloud-init status --wait --format json"));
      assert.deepEqual([status.status, status.errors, status.recoverable_errors], ["done", [], {}]);
      assert.equal(await run(guest, "systemctl --failed --no-legend --plain"), "");
      assert.equal(await run(guest, "test -d /sys/firmware/efi && echo uefi || echo bios"), firmware);
      assert.equal(await run(guest, "lsblk --noheadings --nodeps --output TRAN /dev/sda /dev/sr0 | sort -u"), "sata");
    });

    test("every card has its planned name and address", async () => {
      const drivers = await run(
        guest,
        "for card in /sys/class/net/*/device/driver; do readlink -f $card; done | sort -u",
      );
      assert.deepEqual(
        drivers.split("\n").map((line) => path.basename(line)),
        ["e1000", "pcnet32", "virtio_net"],
      );
      const addresses = await run(guest, "ip -4 -brief address show up");
      for (const { name, address, prefixLength } of planned(guest.plan, "gateway").interfaces) {
        assert.match(addresses, new RegExp(`^${name} .* ${address}/${prefixLength}\\s*$`, "m"));
      }
    });

    test("volumes fill the disk as planned", async () => {
      const sizes = await run(guest, "lvs --noheadings --nosuffix --units m --options lv_name,lv_size --separator =");
      const sizeOf = Object.fromEntries(sizes.split("\n").map((line) => line.trim().split("=")));
      for (const { mountPoint, sizeMiB } of planned(guest.plan, "gateway").volumes) {
        const name = mountPoint === "/" ? "root" : mountPoint.slice(1);
        assert.ok(Number(sizeOf[name]) >= sizeMiB, `${mountPoint} is ${sizeOf[name]} MiB, planned ${sizeMiB}`);
        const source = await run(guest, `findmnt --noheadings --output SOURCE --mountpoint ${mountPoint}`);
        assert.equal(source, `/dev/mapper/groundplane-${name}`);
      }
    });

    test("data disks are found by their order and keep their contents", async () => {
      const lines = [
        "first 6f1d3c1e-0000-4000-8000-000000000001 /data/first",
        "second 6f1d3c1e-0000-4000-8000-000000000002 /data/second",
      ];
      await run(guest, `printf '${lines.join("\\n")}\\n' >/etc/groundplane/data-disks`);
      await run(guest, "/usr/local/lib/groundplane/prepare-volumes && echo kept >/data/second/file");
      // Device letters depend on the order in which controllers respond, so only sizes identify a disk.
      const [source, kind] = ["SOURCE", "FSTYPE"].map(
        (column) => `$(findmnt --noheadings --output ${column} /data/$disk)`,
      );
      const look = `echo $(lsblk --noheadings --nodeps --output SIZE ${source}) ${kind}`;
      assert.equal(await run(guest, `for disk in first second; do ${look}; done`), "1G xfs\n2G xfs");
      await run(guest, "umount /data/first /data/second; /usr/local/lib/groundplane/prepare-volumes");
      assert.equal(await run(guest, "cat /data/second/file"), "kept");
    });
  });
}
