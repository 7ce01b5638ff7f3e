import assert from "node:assert/strict";
import { test } from "node:test";
import { hasVirtualisationFlag } from "../../../hypervisors/choice/detect-hypervisors";
import { vboxManageCandidates } from "../../../hypervisors/choice/vboxmanage-program";

test("on Linux, the program precedes its wrapper script", () => {
  assert.deepEqual(vboxManageCandidates({ PATH: "/usr/local/bin::.:/usr/bin" }, "linux"), [
    "/usr/lib/virtualbox/VBoxManage",
    "/opt/VirtualBox/VBoxManage",
    "/usr/local/bin/VBoxManage",
    "/usr/bin/VBoxManage",
  ]);
});

test("on macOS, the program is in the application's folder", () => {
  assert.deepEqual(vboxManageCandidates({ PATH: "/usr/bin" }, "darwin"), [
    "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage",
    "/usr/bin/VBoxManage",
  ]);
});

test("on Windows, the installer's variables and a PATH with semicolons give the program", () => {
  const environment = {
    Path: "C:\\Windows\\system32;relative;D:\\Tools",
    ProgramFiles: "C:\\Program Files",
    VBOX_MSI_INSTALL_PATH: "E:\\Virtual Box\\",
  };
  assert.deepEqual(vboxManageCandidates(environment, "win32"), [
    "E:\\Virtual Box\\VBoxManage.exe",
    "C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe",
    "C:\\Windows\\system32\\VBoxManage.exe",
    "D:\\Tools\\VBoxManage.exe",
  ]);
  assert.deepEqual(vboxManageCandidates({}, "win32"), []);
});

test("an explicitly named program is the only candidate", () => {
  const chosen = { GROUNDPLANE_VBOXMANAGE: "/opt/mine/VBoxManage", PATH: "/usr/bin" };
  for (const platform of ["linux", "darwin", "win32"]) {
    assert.deepEqual(vboxManageCandidates(chosen, platform), ["/opt/mine/VBoxManage"]);
  }
});

test("VT-x and AMD-V are found in the processor's flags", () => {
  const withFlag = (flag: string) => `processor\t: 0\nflags\t\t: fpu vme ${flag} sse\nbugs\t\t: spectre_v1\n`;
  assert.ok(hasVirtualisationFlag(withFlag("vmx")));
  assert.ok(hasVirtualisationFlag(withFlag("svm")));
  assert.ok(!hasVirtualisationFlag(withFlag("vmxoff")));
  assert.ok(!hasVirtualisationFlag("vmx flags\t\t: svm"));
});
