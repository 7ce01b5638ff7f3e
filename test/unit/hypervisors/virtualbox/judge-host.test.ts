import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type HostFacts, type LinuxFacts, parseKvmModules } from "../../../../hypervisors/virtualbox/host-facts";
import { judgeHost } from "../../../../hypervisors/virtualbox/judge-host";

const transcripts = join(__dirname, "../../../transcripts/virtualbox-7.2");
const recorded = (name: string): string => readFileSync(join(transcripts, `${name}.txt`), "utf8");
const hostInfo = (virtualisation: "yes" | "no"): string =>
  recorded("host-info").replace("HW virtualization: no", `HW virtualization: ${virtualisation}`);

const linux: LinuxFacts = {
  kernel: "6.1.0-25-amd64",
  isRoot: false,
  virtualisation: true,
  vboxdrv: "forbidden",
  moduleBuilt: true,
  secureBoot: false,
  kvmModules: ["kvm_intel", "kvm"],
  enableVirtAtLoad: undefined,
  kvmUsers: [],
};
const linuxHost: HostFacts = {
  platform: "linux",
  arch: "x64",
  program: "/usr/lib/virtualbox/VBoxManage",
  version: recorded("version"),
  hostInfo: hostInfo("yes"),
  linux,
  networksConf: undefined,
};
const mac: HostFacts = {
  platform: "darwin",
  arch: "x64",
  program: "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage",
  version: "7.1.4r165100\n",
  hostInfo: hostInfo("yes"),
  networksConf: undefined,
};
const windows: HostFacts = {
  ...mac,
  platform: "win32",
  program: "C:\\Program Files\\Oracle\\VirtualBox\\VBoxManage.exe",
  windowsHypervisor: false,
};

const withLinux = (changes: Partial<LinuxFacts>, facts: Partial<HostFacts> = {}): HostFacts => ({
  ...linuxHost,
  ...facts,
  linux: { ...linux, ...changes },
});
const stateOf = (facts: HostFacts): string =>
  judgeHost(facts)
    .filter(({ state }) => state !== "ok")
    .map(({ id, state }) => `${id} ${state}`)
    .join(", ");
const hintOf = (facts: HostFacts, id: string): string => judgeHost(facts).find((each) => each.id === id)?.hint ?? "";

test("healthy Linux, macOS and Windows hosts have no problem", () => {
  for (const facts of [linuxHost, mac, windows]) assert.equal(stateOf(facts), "");
  assert.deepEqual(
    judgeHost(linuxHost).map(({ id }) => id),
    ["virtualbox-version", "hardware-virtualisation", "kernel-module", "kvm", "virtualbox-user"],
  );
});

test("all problems are reported at once, each with its next step", () => {
  const bare = withLinux({ vboxdrv: "absent", virtualisation: false, kvmUsers: ["qemu-system-x86 (process 7)"] });
  const findings = judgeHost({ ...bare, version: "6.1.50r161033\n", hostInfo: hostInfo("no") });
  const wrong = findings.filter(({ state }) => state === "problem");
  assert.deepEqual(
    wrong.map(({ id }) => id),
    ["virtualbox-version", "hardware-virtualisation", "kernel-module", "kvm-in-use"],
  );
  assert.ok(wrong.every(({ hint }) => hint));
});

test("without VirtualBox, only its installation is reported", () => {
  assert.equal(stateOf({ ...linuxHost, program: undefined }), "virtualbox-missing problem");
});

test("the versions 6 and 7.0.0 are refused, and an unknown later version is a warning", () => {
  const of = (version: string, host = linuxHost) => stateOf({ ...host, version });
  assert.equal(of("6.1.50r161033\n"), "virtualbox-version problem");
  assert.equal(of("7.0.0r153978\n"), "virtualbox-version problem");
  assert.equal(of("7.0.20r163906\n"), "");
  assert.equal(of("8.0.0r200000\n"), "virtualbox-version warning");
  assert.equal(of("7.2.0r170228\n", mac), "virtualbox-version warning");
  assert.equal(of("7.2.2r170484\n", mac), "");
  assert.equal(of(""), "virtualbox-version problem");
});

test("a warning of Debian's wrapper is not taken for the version", () => {
  const warning = "WARNING: The character device /dev/vboxdrv does not exist.\n\t Please install the package\n\n";
  const facts = { ...linuxHost, version: `${warning}7.2.22_Debianr175245\n` };
  assert.match(judgeHost(facts)[0]?.text ?? "", /^VirtualBox 7\.2\.22_Debianr175245, /);
});

test("the next step for the kernel module depends on its vendor, its builds and the firmware", () => {
  const absent = { vboxdrv: "absent", moduleBuilt: false } as const;
  const hint = (changes: Partial<LinuxFacts>, facts: Partial<HostFacts> = {}) =>
    hintOf(withLinux({ ...absent, ...changes }, facts), "kernel-module");
  assert.match(hint({}), /virtualbox-dkms linux-headers-6\.1\.0-25-amd64/);
  assert.match(hint({}, { version: "7.1.4r165100\n" }), /\/sbin\/vboxconfig/);
  assert.match(hint({ moduleBuilt: true }), /^modprobe vboxdrv/);
  assert.match(hint({ moduleBuilt: true, secureBoot: true }), /^Secure Boot .* enrolled .*mokutil --import/);
  assert.match(hint({ secureBoot: true }), /virtualbox-dkms.*; Secure Boot/);
  // root may open the device unless a container forbids it. Other users may not, and VirtualBox does not need it.
  assert.equal(stateOf(withLinux({ vboxdrv: "forbidden", isRoot: true })), "kernel-module problem");
});

test("without the module, Linux reports the processor's features instead of VirtualBox", () => {
  const noModule = { hostInfo: hostInfo("no") };
  assert.equal(stateOf(withLinux({ vboxdrv: "absent" }, noModule)), "kernel-module problem");
  const lacking = withLinux({ vboxdrv: "absent", virtualisation: false }, noModule);
  assert.equal(stateOf(lacking), "hardware-virtualisation problem, kernel-module problem");
  assert.equal(stateOf({ ...windows, hostInfo: hostInfo("no") }), "hardware-virtualisation problem");
  assert.equal(stateOf({ ...mac, hostInfo: "" }), "hardware-virtualisation warning");
  assert.equal(stateOf({ ...mac, arch: "arm64" }), "processor problem");
});

test("the conflict of VirtualBox and KVM is judged by versions, and stated only as certainly as it is known", () => {
  const pair = (version: string, kernel: string, enableVirtAtLoad: string | undefined, kvmModules = linux.kvmModules) =>
    stateOf(withLinux({ kernel, enableVirtAtLoad, kvmModules }, { version }));
  assert.equal(pair("7.2.22r175245", "6.11.0-9", undefined), "");
  assert.equal(pair("7.1.4r165100", "6.12.9", "Y"), "kvm warning");
  assert.equal(pair("7.1.4r165100", "6.12.9", "N"), "");
  assert.equal(pair("7.1.4r165100", "6.12.9", undefined, []), "");
  assert.equal(pair("7.2.12r170000", "6.13.0", "Y"), "kvm warning");
  assert.equal(pair("7.2.12r170000", "6.13.0", "N"), "kvm warning");
  assert.equal(pair("7.2.10r170000", "6.16.0", "N"), "kvm warning");
  assert.equal(pair("7.2.10r170000", "6.16.0", "Y"), "");
  assert.equal(pair("7.2.22r175245", "6.18.1", "Y"), "");
  assert.equal(pair("7.2.22r175245", "7.0.0", "N"), "");
  const unsure = withLinux({ kernel: "6.13.0", enableVirtAtLoad: "N" }, { version: "7.2.12r170000" });
  assert.match(hintOf(unsure, "kvm"), /try the other value: boot with kvm\.enable_virt_at_load=1/);
});

test("facts about KVM are always printed, and running KVM machines are a problem", () => {
  const text = judgeHost(linuxHost).find(({ id }) => id === "kvm")?.text;
  assert.equal(text, "Linux 6.1.0-25-amd64, KVM loaded (kvm_intel, kvm), kvm.enable_virt_at_load not there");
  const builtIn = judgeHost(withLinux({ kvmModules: [], enableVirtAtLoad: "Y" })).find(({ id }) => id === "kvm");
  assert.match(builtIn?.text ?? "", /KVM built into the kernel, kvm\.enable_virt_at_load Y/);
  assert.equal(stateOf(withLinux({ kvmUsers: ["qemu-system-x86 (process 7)"] })), "kvm-in-use problem");
});

test("Windows' own hypervisor is a warning: VirtualBox may still work", () => {
  assert.equal(stateOf({ ...windows, windowsHypervisor: true }), "hyper-v warning");
  assert.equal(stateOf({ ...windows, windowsHypervisor: undefined }), "hyper-v warning");
});

test("KVM's modules are recognised by name", () => {
  const modules =
    "kvm_amd 155648 0 - Live 0x0\nkvm 1146880 1 kvm_amd, Live 0x0\nirqbypass 16384 1 kvm, Live 0x0\nkvmgt 1 0 - Live 0x0\n";
  assert.deepEqual(parseKvmModules(modules), ["kvm_amd", "kvm"]);
});
