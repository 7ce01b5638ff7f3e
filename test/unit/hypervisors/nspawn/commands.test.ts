import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineSpec } from "../../../../hypervisors/hypervisor";
import * as commands from "../../../../hypervisors/nspawn/commands";
import { checkNames, machineNamespace, portName, stackNamespace } from "../../../../hypervisors/nspawn/names";

const spec: MachineSpec = {
  stack: "lab",
  name: "gateway",
  uuid: "6f1d3c1e-0000-5000-8000-00000000000a",
  image: "infrastructure-0123456789ab",
  cpus: 1,
  memoryMiB: 512,
  diskGiB: 8,
  nics: [
    { segment: "dmz", name: "dmz", mac: "52:54:00:00:00:01" },
    { segment: "masters", name: "masters", mac: "52:54:00:00:00:02" },
  ],
  uplink: { mac: "52:54:00:00:00:ff", forwards: [{ hostPort: 26443, guestPort: 6443 }] },
  disks: [],
};
const [dmz, masters] = ["dmz", "masters"].map((segment) => portName("gateway", segment));

test("names are unique for stacks and machines, and fit the kernel's limits", () => {
  assert.notEqual(stackNamespace("lab-gateway"), machineNamespace({ stack: "lab", name: "gateway" }));
  assert.match(portName("a-machine-with-a-long-name", "storage"), /^v[0-9a-f]{12}$/);
  assert.notEqual(portName("master-1", "masters"), portName("master-2", "masters"));
  checkNames(spec, ["dmz"]);
  assert.throws(() => checkNames({ stack: "s".repeat(60), name: "gateway" }, []), { id: "name-too-long" });
  assert.throws(() => checkNames(spec, ["sixteen-letters!"]), { id: "name-too-long" });
});

test("cables are created in the stack's namespace, with the planned name and MAC at the guest's end", () => {
  assert.deepEqual(commands.addCables(spec), [
    `link add name ${dmz} type veth peer name dmz address 52:54:00:00:00:01 netns gp-lab.gateway`,
    `link set dev ${dmz} alias gateway/dmz`,
    `link set dev ${dmz} master dmz up`,
    `link add name ${masters} type veth peer name masters address 52:54:00:00:00:02 netns gp-lab.gateway`,
    `link set dev ${masters} alias gateway/masters`,
    `link set dev ${masters} master masters up`,
  ]);
  assert.deepEqual(commands.setCables("gateway", ["dmz"], false), [`link set dev ${dmz} down`]);
  assert.deepEqual(commands.deleteCables("gateway", spec.nics), [
    `link delete dev ${dmz}`,
    `link delete dev ${masters}`,
  ]);
});

test("the uplink's process is sandboxed in a private mount namespace, cannot reach the host's loopback, and waits for no other process", () => {
  const prompt = "{ echo -10 >/proc/$$/autogroup; renice -n -10 -p $$; chrt --rr --pid 1 $$; } >/dev/null 2>&1 || true";
  assert.deepEqual(commands.runUplink(spec, "/run/groundplane/uplinks/lab.gateway", "/cgroup/gateway.uplink"), [
    ...["unshare", "--mount", "--propagation", "private", "--"],
    ...["sh", "-euc", `echo 0 >"$1/cgroup.procs"; shift; ${prompt}; exec "$@"`, "sh", "/cgroup/gateway.uplink"],
    ...["slirp4netns", "--netns-type=path", "--api-socket=/run/groundplane/uplinks/lab.gateway"],
    ...["--disable-host-loopback", "--enable-sandbox", "--enable-seccomp", "--mtu=1500"],
    ...["/run/netns/gp-lab.gateway", "uplink"],
  ]);
});

test("systemd-nspawn gets the machine's identity, namespace and binds", () => {
  const binds = [
    { source: "/data/seed", target: "/var/lib/cloud/seed/nocloud", readOnly: true },
    { source: "/data/a:b", target: "/data" },
  ];
  assert.deepEqual(commands.runContainer(spec, { root: "root", binds, legacyCgroups: true }), [
    ...["systemd-nspawn", "--quiet", "--directory=root", "--boot", "--machine=gp-lab.gateway", "--hostname=gateway"],
    ...["--uuid=6f1d3c1e-0000-5000-8000-00000000000a", "--register=no", "--keep-unit", "--settings=no"],
    ...["--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=read-only"],
    "--network-namespace-path=/run/netns/gp-lab.gateway",
    "--capability=CAP_SYS_ADMIN,CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_PTRACE,CAP_MKNOD,CAP_BPF,CAP_IPC_LOCK",
    "--drop-capability=CAP_DAC_READ_SEARCH,CAP_LINUX_IMMUTABLE,CAP_SYS_TTY_CONFIG,CAP_LEASE",
    "--system-call-filter=@keyring",
    "--system-call-filter=~open_by_handle_at fspick @module @swap @raw-io kexec_load kexec_file_load syslog perf_event_open quotactl quotactl_fd userfaultfd",
    "--setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
    "--bind-ro=/data/seed:/var/lib/cloud/seed/nocloud",
    "--bind=/data/a\\:b:/data",
  ]);
  const unified = commands.runContainer(spec, { root: "root", binds: [], legacyCgroups: false });
  assert.ok(!unified.some((word) => word.startsWith("--setenv")));
  assert.ok(unified.includes("--system-call-filter=bpf"), "runc restricts devices by programs on version 2");
});

test("layers are stacked from top to bottom, with special characters in paths escaped", () => {
  assert.equal(
    commands.overlayOptions(["/images/container", "/images/a:b,c"], "upper", "work"),
    "lowerdir=/images/container:/images/a\\:b\\,c,upperdir=upper,workdir=work",
  );
});

test("commands in a namespace still see the host's cgroups", () => {
  assert.deepEqual(commands.inNamespace("gp-lab", ["true"]), ["nsenter", "--net=/run/netns/gp-lab", "--", "true"]);
  assert.deepEqual(commands.stackBatch("lab", true), ["ip", "-force", "-n", "gp-lab", "-batch", "-"]);
});
