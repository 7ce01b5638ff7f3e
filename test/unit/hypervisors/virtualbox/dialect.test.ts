import assert from "node:assert/strict";
import { test } from "node:test";
import { dialectFor, withoutWarning } from "../../../../hypervisors/virtualbox/dialect";
import { registryFolder } from "../../../../hypervisors/virtualbox/registry-lock";
import { driverRequirements, installedHypervisor } from "../../../../model/driver-requirements";

const types = ["Other", "Linux26_64", "Debian_64", "Debian12_64"];

test("versions of all distributors are parsed", () => {
  for (const text of ["7.2.22_Debianr175245", "7.2.22r175245", "7.2.22_Ubuntur1\n"]) {
    assert.deepEqual(installedHypervisor(driverRequirements.virtualbox.hypervisor, text)?.version, [7, 2, 22]);
  }
  assert.equal(installedHypervisor(driverRequirements.virtualbox.hypervisor, "VBoxManage: error"), undefined);
});

test("versions that require the architecture get it", () => {
  assert.deepEqual(dialectFor("7.0.20r1", types, "linux").architecture, []);
  assert.deepEqual(dialectFor("7.1.0r1", types, "linux").architecture, ["--platform-architecture", "x86"]);
  assert.deepEqual(dialectFor("8.0.0r1", types, "linux").architecture, ["--platform-architecture", "x86"]);
});

test("macOS has host-only networks where other systems have interfaces", () => {
  assert.equal(dialectFor("7.2.0r1", types, "darwin").hostOnly, "network");
  assert.equal(dialectFor("7.2.0r1", types, "win32").hostOnly, "interface");
});

test("machines get the newest OS type that the version knows", () => {
  assert.equal(dialectFor("7.2.0r1", types, "linux").osType, "Debian12_64");
  assert.equal(dialectFor("7.0.2r1", ["Debian_64"], "linux").osType, "Debian_64");
  assert.throws(() => dialectFor("7.2.0r1", ["Debian12_arm64"], "darwin"), { id: "virtualbox-os-types" });
});

test("an outdated or unknown VirtualBox is refused", () => {
  assert.throws(() => dialectFor("6.1.50r1", types, "linux"), { id: "virtualbox-too-old" });
  assert.throws(() => dialectFor("", types, "linux"), { id: "virtualbox-version-unknown" });
});

test("the warning of Debian's wrapper is not part of the output", () => {
  const warning =
    "WARNING: The character device /dev/vboxdrv does not exist.\n\t Please install the virtualbox-dkms package.\n\n" +
    "\t You will not be able to start VMs until this problem is fixed.\n";
  assert.deepEqual(withoutWarning(`${warning}7.2.22_Debianr1\n`), { text: "7.2.22_Debianr1\n", driverMissing: true });
  assert.deepEqual(withoutWarning('"x" {y}\n'), { text: '"x" {y}\n', driverMissing: false });
});

test("the lock belongs to the registry, wherever it is on the host", () => {
  assert.equal(registryFolder({}, "linux", "/home/me"), "/home/me/.config/VirtualBox");
  assert.equal(registryFolder({ XDG_CONFIG_HOME: "/c" }, "linux", "/home/me"), "/c/VirtualBox");
  assert.equal(registryFolder({}, "darwin", "/Users/me"), "/Users/me/Library/VirtualBox");
  assert.equal(registryFolder({}, "win32", "C:\\Users\\me"), "C:\\Users\\me\\.VirtualBox");
  assert.equal(registryFolder({ VBOX_USER_HOME: "/own" }, "linux", "/home/me"), "/own");
});
