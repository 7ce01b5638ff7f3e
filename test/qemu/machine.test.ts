import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localHost } from "../../host/local-host";
import { killProcess, signalProcess } from "../../host/start-process";
import { bootSectorDisk } from "../../hypervisors/boot-sector";
import type { Hypervisor, MachineSpec } from "../../hypervisors/hypervisor";
import { diskFile } from "../../hypervisors/qemu/disks";
import { machineFiles } from "../../hypervisors/qemu/folders";
import { qmpSocket, runtimeFolder } from "../../hypervisors/qemu/names";
import { machineProcesses, switchProcesses } from "../../hypervisors/qemu/processes";
import { inspectDiskFile } from "../../hypervisors/qemu/qemu-img";
import { withQmp } from "../../hypervisors/qemu/qmp";
import { snapshotsFolder } from "../../hypervisors/snapshots/snapshot-files";
import { patienceMs } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { GUEST_LINE } from "../support/qemu-guest-disk";
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

const GIB = 1024 ** 3;

qemuSkipReason().then((skip) => {
  describe("a machine on QEMU", { skip }, () => {
    let host: QemuHost;
    let spec: MachineSpec;
    before(() => {
      host = makeQemuHost();
      spec = qemuMachine(host.image);
    });
    afterEach(() => removeQemuStack(host.image));
    after(async () => {
      assert.deepEqual(await qemuTracesOf(host.data, [qemuStack]), []);
      await assert.rejects(fs.access(path.join(host.data, "qemu")), "an image without users is removed");
      host.remove();
    });

    test("its guest boots from the image, and the consoles of this and the previous start are kept", async () => {
      const driver = await makeQemuMachine(spec, true);
      await consoleSays(driver, spec, GUEST_LINE);
      await driver.stopMachine(spec, 10_000);
      await driver.startMachine(spec);
      await consoleSays(driver, spec, GUEST_LINE);
      const log = driver.consoleLog?.consoleLogPath(spec) ?? "";
      assert.equal((await fs.readFile(log, "utf8")).split(GUEST_LINE).length, 2, "the console is this start's");
      assert.match(await fs.readFile(`${log}.1`, "utf8"), new RegExp(GUEST_LINE));
    });

    test("a guest may shut down on its own after the power button, and is powered off at the deadline", async () => {
      const driver = await makeQemuMachine(spec, true);
      await consoleSays(driver, spec, GUEST_LINE);
      const [orderly] = await timed(() => driver.stopMachine(spec, patienceMs));
      assert.ok(orderly < patienceMs / 2, `it took ${orderly} ms`);
      await removeQemuStack(host.image);

      const silent = qemuMachine(sealDiskImage("silent-1", bootSectorDisk("SILENT")));
      const other = await makeQemuMachine(silent, true);
      const [cut] = await timed(() => other.stopMachine(silent, 2_000));
      assert.ok(cut >= 2_000 && cut < patienceMs / 2, `it took ${cut} ms`);
      assert.equal((await other.inspectMachine(silent))?.power, "stopped");
      await removeQemuStack("silent-1");
    });

    test("only the owner can read the machine's files, and the image is read-only", async () => {
      await makeQemuMachine(spec, true);
      const folder = qemuMachineFolder(host.data);
      assert.equal((await fs.stat(path.join(folder, "seed.iso"))).mode & 0o777, 0o600);
      assert.equal((await fs.stat(runtimeFolder(localHost, qemuStack))).mode & 0o777, 0o700);
      const images = path.join(host.data, "qemu", "images");
      const converted = (await fs.readdir(images)).find((name) => name.endsWith(".qcow2")) ?? "";
      assert.equal((await fs.stat(path.join(images, converted))).mode & 0o777, 0o444);
    });

    test("disks grow while the machine runs or is stopped, and never shrink", async () => {
      const withDisk = { ...spec, disks: [{ disk: qemuDisk.name, mountPoint: "/data" }] };
      const driver = await makeQemuMachine(withDisk, true);
      const generation = (await driver.inspectMachine(spec))?.generation;
      const running = await machineProcesses(localHost, spec);
      await driver.ensureMachine({ ...withDisk, diskGiB: 2 }, qemuSeed, qemuOwner);
      await driver.ensureDisk({ ...qemuDisk, sizeGiB: 3 }, qemuOwner);
      assert.deepEqual(await machineProcesses(localHost, spec), running, "it went on running");
      assert.equal(
        (await inspectDiskFile(localHost, path.join(qemuMachineFolder(host.data), "disk.qcow2")))["virtual-size"],
        2 * GIB,
      );
      assert.equal((await inspectDiskFile(localHost, diskFile(localHost, qemuDisk)))["virtual-size"], 3 * GIB);
      await driver.stopMachine(spec, 10_000);
      await driver.ensureMachine({ ...withDisk, diskGiB: 4 }, qemuSeed, qemuOwner);
      await driver.ensureDisk({ ...qemuDisk, sizeGiB: 5 }, qemuOwner);
      assert.equal((await driver.inspectDisk(qemuDisk))?.sizeGiB, 5);
      assert.equal((await driver.inspectMachine(spec))?.generation, generation);
      await assert.rejects(driver.ensureMachine({ ...withDisk, diskGiB: 3 }, qemuSeed, qemuOwner), /cannot shrink/);
      await assert.rejects(driver.ensureDisk({ ...qemuDisk, sizeGiB: 2 }, qemuOwner), /cannot shrink/);
      assert.equal((await driver.inspectMachine(spec))?.spec.diskGiB, 4);
      assert.equal((await driver.inspectDisk(qemuDisk))?.sizeGiB, 5);
    });

    test("a running guest's memory shrinks and grows up to its size at start, and more requires a stop", async () => {
      const driver = await makeQemuMachine(spec, true);
      await consoleSays(driver, spec, GUEST_LINE);
      const running = await machineProcesses(localHost, spec);
      for (const memoryMiB of [64, 128]) {
        await driver.ensureMachine({ ...spec, memoryMiB }, qemuSeed, qemuOwner);
        assert.deepEqual(await machineProcesses(localHost, spec), running);
      }
      const changed = await driver.ensureMachine({ ...spec, memoryMiB: 256 }, qemuSeed, qemuOwner);
      assert.equal(changed.power, "stopped");
    });

    test("port-forwards change while the machine runs, and a taken port is reported with its holder", async () => {
      const [first, second] = [await freePort(), await freePort()];
      const uplink = (hostPort: number) => ({
        ...spec,
        uplink: { mac: "52:54:00:c0:00:ff", forwards: [{ hostPort, guestPort: 22 }] },
      });
      const driver = await makeQemuMachine(uplink(first), true);
      assert.equal(await isTaken(first), true);
      const running = await machineProcesses(localHost, spec);
      await driver.ensureMachine(uplink(second), qemuSeed, qemuOwner);
      assert.deepEqual(await machineProcesses(localHost, spec), running);
      assert.deepEqual([await isTaken(first), await isTaken(second)], [false, true]);

      const holder = await hold(first);
      const refused = new RegExp(`127.0.0.1:${first}, which leads to machine-1, is held by .*process ${process.pid}`);
      await assert.rejects(driver.ensureMachine(uplink(first), qemuSeed, qemuOwner), refused);
      await driver.stopMachine(spec, 10_000);
      await driver.ensureMachine(uplink(first), qemuSeed, qemuOwner);
      await assert.rejects(driver.startMachine(spec), refused);
      assert.equal((await driver.inspectMachine(spec))?.power, "stopped");
      holder.close();
      await driver.startMachine(spec);
    });

    test("a snapshot has the disks of one instant, and costs what is written afterwards", async () => {
      const withDisk = { ...spec, disks: [{ disk: qemuDisk.name, mountPoint: "/data" }] };
      const driver = await makeQemuMachine(withDisk, true);
      const { snapshots } = driver;
      assert.ok(snapshots);
      await consoleSays(driver, spec, GUEST_LINE);
      const before = { stack: qemuStack, name: "before" };
      const made = await snapshots.createSnapshot(before);
      assert.ok(made.pausedMs < 10_000 && made.bytes < 2 ** 20, JSON.stringify(made));
      const named = async (file: string) =>
        ((await inspectDiskFile(localHost, file)).snapshots ?? []).map(({ name }) => name);
      const files = [diskFile(localHost, qemuDisk), machineFiles(localHost, spec).disk];
      for (const file of files) assert.deepEqual(await named(file), ["before"]);
      const inspected = await inspectDiskFile(localHost, files[1] ?? "");
      assert.equal(inspected.snapshots?.[0]?.["vm-state-size"], 0, "without memory");
      await snapshots.restoreSnapshot(before);
      assert.equal((await driver.inspectMachine(spec))?.power, "running");
      await consoleSays(driver, spec, GUEST_LINE);
      await snapshots.deleteSnapshot(before);
      for (const file of files) assert.deepEqual(await named(file), []);
    });

    test("a machine that a killed snapshot left paused counts as stopped until it is started", async () => {
      const driver = await makeQemuMachine(spec, true);
      const creating = path.join(snapshotsFolder(localHost, qemuStack), "creating.json");
      await localHost.files.writeJson(creating, { name: "killed" });
      await withQmp(localHost, qmpSocket(localHost, spec), (qmp) => qmp.execute("stop"));
      assert.equal((await driver.inspectMachine(spec))?.power, "stopped");
      await driver.startMachine(spec);
      assert.equal((await driver.inspectMachine(spec))?.power, "running");
      await withQmp(localHost, qmpSocket(localHost, spec), (qmp) => qmp.execute("stop"));
      await driver.snapshots?.createSnapshot({ stack: qemuStack, name: "next" });
      assert.equal((await driver.inspectMachine(spec))?.power, "running", "the next snapshot resumes it, too");
      assert.equal(await localHost.files.exists(creating), false);
    });

    test("a killed switch is restarted, and running machines reconnect to it", async () => {
      const driver = await makeQemuMachine(spec, true);
      const [before] = await switchProcesses(localHost, qemuStack);
      assert.ok(before);
      await killProcess(before);
      assert.equal((await driver.inspectMachine(spec))?.power, "stopped", "it is cut off from everything");
      const running = await machineProcesses(localHost, spec);
      await driver.startMachine(spec);
      assert.equal((await driver.inspectMachine(spec))?.power, "running");
      assert.deepEqual(await machineProcesses(localHost, spec), running);
      assert.notDeepEqual(await switchProcesses(localHost, qemuStack), [before]);
    });

    test("a machine starts despite the sockets and files that a killed QEMU leaves", async () => {
      const driver = await makeQemuMachine(spec, true);
      const [qemu] = await machineProcesses(localHost, spec);
      assert.ok(qemu && signalProcess(qemu, "SIGKILL"));
      while ((await driver.inspectMachine(spec))?.power === "running") await sleep(20);
      assert.ok(
        (await fs.readdir(runtimeFolder(localHost, qemuStack))).includes("qmp.machine-1"),
        "its socket is stale",
      );
      await driver.startMachine(spec);
      assert.equal((await driver.inspectMachine(spec))?.power, "running");
    });
  });
});

async function consoleSays(driver: Hypervisor, spec: MachineSpec, text: string): Promise<void> {
  const log = driver.consoleLog?.consoleLogPath(spec) ?? "";
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(50)) {
    if ((await fs.readFile(log, "utf8").catch(() => "")).includes(text)) return;
  }
  assert.fail(`the console never said ${text}`);
}

async function timed(action: () => Promise<void>): Promise<[number]> {
  const started = performance.now();
  await action();
  return [performance.now() - started];
}

function hold(port: number): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

const isTaken = (port: number): Promise<boolean> =>
  hold(port).then(
    (server) => new Promise((resolve) => server.close(() => resolve(false))),
    () => true,
  );
