import assert from "node:assert/strict";
import { test } from "node:test";
import { createDiskFile } from "../../../../hypervisors/qemu/qemu-img";
import { RecordingHost } from "../../../support/recording-host";

const argv = ["qemu-img", "create", "/data/disk.qcow2.partial"];
const create = (partial: string) => ["qemu-img", "create", partial];
const locked = { argv, exitCode: 1, stderr: 'qemu-img: /data/disk.qcow2.partial: Failed to get "write" lock' };
const effect = (host: RecordingHost) => host.files.writeAtomic("/data/disk.qcow2.partial", "disk");

test("a disk is created although the qemu-img of an interrupted creation still locks its file", async () => {
  const host = new RecordingHost({ commands: [locked, locked, { argv, effect }] });
  await createDiskFile(host, "/data/disk.qcow2", create);
  assert.equal(await host.files.readText("/data/disk.qcow2"), "disk");
  assert.equal(host.log.filter((line) => line.includes("qemu-img")).length, 3);
});

test("a lock that is not released, and every other failure, is an error", async () => {
  const always = new RecordingHost({ commands: [locked] });
  await assert.rejects(createDiskFile(always, "/data/disk.qcow2", create), /lock/);
  assert.equal(always.log.filter((line) => line.includes("qemu-img")).length, 20);
  const broken = new RecordingHost({ commands: [{ argv, exitCode: 1, stderr: "no such format" }] });
  await assert.rejects(createDiskFile(broken, "/data/disk.qcow2", create), /no such format/);
  assert.equal(broken.log.filter((line) => line.includes("qemu-img")).length, 1);
});
