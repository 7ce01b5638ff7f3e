import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { localHost } from "../../host/local-host";
import { ForeignObjectError, type MachineSpec } from "../../hypervisors/hypervisor";
import { createQemuDriver } from "../../hypervisors/qemu/driver";
import { UserError } from "../../model/user-error";
import { makeQemuHost, type QemuHost, qemuSkipReason, qemuTracesOf, sealDiskImage } from "../support/qemu-host";
import {
  makeQemuMachine,
  qemuDisk,
  qemuMachine,
  qemuMachineFolder,
  qemuOwner,
  qemuSeed,
  qemuStack,
  removeQemuStack,
} from "../support/qemu-stack";

qemuSkipReason().then((skip) => {
  describe("the QEMU driver refuses wrong input with a reason and a next step, and leaves nothing", { skip }, () => {
    let host: QemuHost;
    let spec: MachineSpec;
    before(() => {
      host = makeQemuHost();
      spec = qemuMachine(host.image);
    });
    afterEach(async () => {
      await removeQemuStack(host.image);
      assert.deepEqual(await qemuTracesOf(host.data, [qemuStack]), []);
      assert.equal(fs.existsSync(path.join(host.data, "qemu")), false);
    });
    after(() => host.remove());

    test("an image whose digest does not match is refused", async () => {
      const name = sealDiskImage("damaged-1", Buffer.alloc(1024 * 1024, "x"));
      fs.appendFileSync(path.join(host.data, "images", name, "disk.raw"), "y");
      await refused(createQemuDriver(localHost).ensureImage({ name }), "image-damaged");
      assert.equal(await createQemuDriver(localHost).inspectImage({ name }), undefined);
    });

    test("a converted image is recreated after its file was replaced", async () => {
      const driver = createQemuDriver(localHost);
      await driver.ensureImage({ name: host.image });
      const images = path.join(host.data, "qemu", "images");
      const file = path.join(images, fs.readdirSync(images).find((name) => name.endsWith(".qcow2")) ?? "");
      const content = fs.readFileSync(file);
      fs.rmSync(file);
      fs.writeFileSync(file, "something else");
      assert.equal(await driver.inspectImage({ name: host.image }), undefined);
      await driver.ensureImage({ name: host.image });
      assert.equal(fs.statSync(file).size, content.length);
    });

    test("a foreign disk in place of the machine's disk is refused", async () => {
      const driver = await makeQemuMachine(spec, false);
      const disk = path.join(qemuMachineFolder(host.data), "disk.qcow2");
      fs.rmSync(disk);
      execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1G"]);
      await refused(driver.ensureMachine(spec, qemuSeed, qemuOwner), "foreign-disk");
      assert.ok(fs.existsSync(disk), "it is not touched");
    });

    test("folders and files with the driver's names but without its mark are refused", async () => {
      const driver = await makeQemuMachine(spec, false);
      const folder = qemuMachineFolder(host.data, "machine-2");
      fs.mkdirSync(folder);
      fs.writeFileSync(path.join(folder, "precious"), "");
      await assert.rejects(
        driver.ensureMachine({ ...spec, name: "machine-2" }, qemuSeed, qemuOwner),
        ForeignObjectError,
      );
      const diskFolder = path.join(host.data, "disks", qemuStack, `${qemuDisk.name}.qemu`);
      fs.mkdirSync(diskFolder, { recursive: true });
      fs.writeFileSync(path.join(diskFolder, "disk.qcow2"), "precious");
      await assert.rejects(driver.ensureDisk(qemuDisk, qemuOwner), ForeignObjectError);
      assert.equal(fs.readFileSync(path.join(diskFolder, "disk.qcow2"), "utf8"), "precious");
      fs.rmSync(folder, { recursive: true });
      fs.rmSync(path.join(host.data, "disks"), { recursive: true });
    });

    test("a disk smaller than its image is refused", async () => {
      const name = sealDiskImage("large-1", Buffer.alloc(0));
      const raw = path.join(host.data, "images", name, "disk.raw");
      const record = path.join(host.data, "images", name, "image.json");
      fs.truncateSync(raw, 1025 * 1024 ** 2);
      const digest = execFileSync("sha256sum", [raw], { encoding: "utf8" }).slice(0, 64);
      fs.writeFileSync(record, JSON.stringify({ name, digest: `sha256:${digest}`, form: "disk" }));
      await refused(makeQemuMachine(qemuMachine(name, { diskGiB: 1 }), false), "disk-too-small");
      await removeQemuStack(name);
    });

    test("a missing segment, data disk or image is reported", async () => {
      const driver = await makeQemuMachine(spec, false);
      const elsewhere = { ...spec, nics: [{ segment: "moon", name: "moon", mac: "52:54:00:c0:00:01" }] };
      await driver.ensureMachine(elsewhere, qemuSeed, qemuOwner);
      await refused(driver.startMachine(spec), "segment-missing");
      await driver.ensureMachine({ ...spec, disks: [{ disk: "none", mountPoint: "/data" }] }, qemuSeed, qemuOwner);
      await refused(driver.startMachine(spec), "disk-missing");
      await refused(driver.ensureMachine({ ...spec, image: "boot-sector-0" }, qemuSeed, qemuOwner), "image-missing");
    });

    test("a full disk of the host is reported", { skip: process.getuid?.() !== 0 && "mounting needs root" }, () => {
      const script = `
        const { createQemuDriver } = require("./hypervisors/qemu/driver");
        const { localHost } = require("./host/local-host");
        createQemuDriver(localHost).ensureImage({ name: ${JSON.stringify(host.image)} }).then(
          () => console.log("made"),
          (error) => console.log(error.id, error.hint),
        );`;
      const folder = path.join(host.data, "qemu");
      fs.mkdirSync(folder);
      const shell = `mount -t tmpfs -o size=64k tmpfs "$0" && "$@" && find "$0" -type f`;
      const argv = ["--mount", "--propagation", "private", "sh", "-c", shell, folder];
      const { stdout } = spawnSync("unshare", [...argv, process.execPath, "--import", "tsx", "-e", script], {
        encoding: "utf8",
      });
      assert.match(stdout, /^disk-full free some space there.*\n$/);
      fs.rmdirSync(folder);
    });

    test("a missing or outdated QEMU is reported", async () => {
      const bin = path.join(host.data, "bin");
      fs.mkdirSync(bin);
      const driver = await makeQemuMachine(spec, false);
      await withPath(bin, async () => {
        const ids = (await driver.problems()).map(({ id }) => id);
        assert.deepEqual(ids, ["qemu-missing", "qemu-img-missing"]);
        await refused(driver.startMachine(spec), "qemu-missing");
        await refused(driver.ensureDisk(qemuDisk, qemuOwner), "qemu-missing");
        await driver.removeDisk(qemuDisk, qemuOwner);
        fs.writeFileSync(path.join(bin, "qemu-system-x86_64"), "#!/bin/sh\necho QEMU emulator version 7.2.19\n", {
          mode: 0o755,
        });
        await refused(driver.startMachine(spec), "qemu-too-old");
      });
      assert.equal((await driver.inspectMachine(spec))?.power, "stopped");
    });
  });
});

async function refused(action: Promise<unknown>, id: string): Promise<void> {
  await assert.rejects(action, (error: unknown) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.id, id);
    assert.match(error.hint, /\S/);
    return true;
  });
}

async function withPath(folder: string, action: () => Promise<void>): Promise<void> {
  const before = process.env.PATH;
  process.env.PATH = `${folder}:/nowhere`;
  try {
    await action();
  } finally {
    process.env.PATH = before;
  }
}
