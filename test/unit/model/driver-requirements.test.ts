import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeVersion } from "../../../hypervisors/choice/detect-hypervisors";
import { versionProblem } from "../../../hypervisors/qemu/host-checks";
import { dialectFor } from "../../../hypervisors/virtualbox/dialect";
import { judgeHost } from "../../../hypervisors/virtualbox/judge-host";
import { driverRequirements, installedHypervisor, installHint } from "../../../model/driver-requirements";
import { isAtLeast, parseVersion } from "../../../model/versions";

const virtualbox = driverRequirements.virtualbox.hypervisor;
const qemu = driverRequirements.qemu.hypervisor;

/** Whether `doctor` accepts this VirtualBox. */
function doctorAccepts(version: string): boolean {
  const host = { platform: "linux", arch: "x64", program: "/VBoxManage", hostInfo: "", networksConf: undefined };
  return !judgeHost({ ...host, version }).some(({ id, state }) => id === "virtualbox-version" && state === "problem");
}

/** Whether the driver works with this VirtualBox. */
function driverAccepts(version: string): boolean {
  try {
    dialectFor(version, ["Debian_64"], "linux");
    return true;
  } catch {
    return false;
  }
}

test("auto, doctor and the driver accept the same versions of VirtualBox", () => {
  const accepted = { "6.1.50r1": false, "7.0.0r1": false, "7.0.1r1": false, "7.0.2r1": true, "7.1.0r1": true };
  for (const [version, isAccepted] of Object.entries({ ...accepted, "7.2.22_Debianr1": true, "8.0.0r1": true })) {
    const auto = judgeVersion(virtualbox, "/VBoxManage", `${version}\n`).usable;
    const found = { auto, doctor: doctorAccepts(version), driver: driverAccepts(version) };
    assert.deepEqual(found, { auto: isAccepted, doctor: isAccepted, driver: isAccepted }, version);
  }
});

test("auto and the driver accept the same versions of QEMU", () => {
  for (const [version, isAccepted] of Object.entries({
    "7.2.9": false,
    "8.0.0": true,
    "8.2.2": true,
    "10.0.2": true,
  })) {
    const said = `QEMU emulator version ${version} (Debian 1:${version})`;
    const found = { auto: judgeVersion(qemu, "/qemu", said).usable, driver: versionProblem(said, "kvm") === undefined };
    assert.deepEqual(found, { auto: isAccepted, driver: isAccepted }, version);
  }
});

test("an unusable version is reported with the reason", () => {
  assert.equal(judgeVersion(virtualbox, "/VBoxManage", "7.0.0r1\n").reason, "VirtualBox 7.0.0r1 is older than 7.0.2");
  assert.equal(judgeVersion(qemu, "/qemu", "?").reason, "/qemu does not print its version");
  assert.equal(installHint(virtualbox), "install VirtualBox 7.1 or newer");
  assert.equal(installHint(qemu), "install QEMU 8.0 or newer");
});

test("versions are found after a warning and compared number by number", () => {
  assert.equal(installedHypervisor(virtualbox, "WARNING: no device\n7.2.22_Ubuntur1\n")?.text, "7.2.22_Ubuntur1");
  assert.deepEqual(parseVersion("6.12.9-amd64"), [6, 12, 9]);
  assert.equal(parseVersion("VBoxManage: error"), undefined);
  assert.ok(isAtLeast([7, 1], [7, 0, 2]) && isAtLeast([7, 0, 2], [7, 0, 2]) && isAtLeast([7], [7, 0]));
  assert.ok(!isAtLeast([7, 0], [7, 0, 2]) && !isAtLeast([6, 9, 9], [7]));
});
