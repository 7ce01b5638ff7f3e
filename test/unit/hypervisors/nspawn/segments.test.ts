import assert from "node:assert/strict";
import { test } from "node:test";
import { ForeignObjectError } from "../../../../hypervisors/hypervisor";
import { createNspawnDriver } from "../../../../hypervisors/nspawn/driver";
import { RecordingHost, type ScriptedCommand } from "../../../support/recording-host";

const owner = { stack: "lab", urn: "urn:pulumi:lab::groundplane::Segment::dmz" };
const dmz = { stack: "lab", name: "dmz" };
const instances = "/proc/sys/fs/inotify/max_user_instances";
const links = ["ip", "-n", "gp-lab", "-json", "link", "show"];
const quiet = [
  ...["nsenter", "--net=/run/netns/gp-lab", "--", "sh", "-euc"],
  'while [ $# -gt 0 ]; do [ ! -e "$1" ] || echo "$2" >"$1"; shift 2; done',
  ...["sh", "/proc/sys/net/bridge/bridge-nf-call-iptables", "0"],
  ...["/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0", "/proc/sys/net/bridge/bridge-nf-call-arptables", "0"],
  ...["/proc/sys/net/ipv6/conf/all/disable_ipv6", "1", "/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"],
];

const commands: readonly ScriptedCommand[] = [
  {
    argv: ["ip", "netns", "add", "gp-lab"],
    effect: async (host) => {
      await host.files.writeAtomic("/run/netns/gp-lab", "");
      host.namespaceFiles.add("/run/netns/gp-lab");
    },
  },
  {
    argv: ["ip", "netns", "delete", "gp-lab"],
    effect: async (host) => {
      await host.files.remove("/run/netns/gp-lab");
      host.namespaceFiles.delete("/run/netns/gp-lab");
    },
  },
  { argv: links, stdout: "[]" },
  { argv: links, stdout: JSON.stringify([{ ifname: "dmz", flags: ["BROADCAST", "UP"] }]) },
  { argv: quiet },
  { argv: ["ip", "-n", "gp-lab", "-batch", "-"] },
  { argv: ["umount", "/run/netns"] },
];

const makeHost = (script: readonly ScriptedCommand[] = commands): RecordingHost =>
  new RecordingHost({
    files: { [instances]: "128\n", "/proc/sys/fs/inotify/max_user_watches": "1048576\n", "/run/.keep": "" },
    commands: script,
  });

/** The programs that a driver ran, without their arguments. */
const programs = (host: RecordingHost): readonly string[] => host.log.map((line) => line.split(" ")[0] ?? "");

test("a segment is a bridge in the stack's namespace, and its removal leaves nothing", async () => {
  const host = makeHost();
  const driver = createNspawnDriver(host);
  await driver.ensureSegment(dmz, owner);
  assert.deepEqual(
    host.log.map((line) => line.replace(/'while.*/, "…")),
    [
      `set ${instances} 8192`,
      "ip netns add gp-lab",
      "ip -n gp-lab -json link show",
      "nsenter --net=/run/netns/gp-lab -- sh -euc …",
      "ip -n gp-lab -batch -",
    ],
  );
  assert.deepEqual(host.inputs, [
    "link add name dmz type bridge stp_state 0 forward_delay 0 mcast_snooping 0\nlink set dev dmz up",
  ]);
  assert.deepEqual(await driver.inspectSegment(dmz), { owner });
  assert.equal(host.files.modeOf("/data/stacks/lab/segments/dmz.json"), 0o600);

  await driver.removeSegment(dmz, owner);
  assert.equal(host.inputs.at(-1), "link delete dev dmz");
  assert.deepEqual(host.log.slice(-3), ["ip netns delete gp-lab", `set ${instances} 128`, "umount /run/netns"]);
  for (const folder of ["/data/stacks/lab", "/run/groundplane", "/run/netns"]) {
    assert.deepEqual(host.traces(folder), [], folder);
  }
});

test("a segment that is up does not change", async () => {
  const host = makeHost();
  const driver = createNspawnDriver(host);
  await driver.ensureSegment(dmz, owner);
  const before = host.log.length;
  await driver.ensureSegment(dmz, owner);
  assert.deepEqual(host.log.slice(before), ["ip -n gp-lab -json link show"]);
});

test("another owner's segment is neither changed nor removed", async () => {
  const host = makeHost();
  const driver = createNspawnDriver(host);
  await driver.ensureSegment(dmz, owner);
  const before = host.log.length;
  const outsider = { stack: "lab", urn: "urn:other" };
  await assert.rejects(driver.ensureSegment(dmz, outsider), ForeignObjectError);
  await assert.rejects(driver.removeSegment(dmz, outsider), ForeignObjectError);
  assert.equal(host.log.length, before);
});

test("a segment without its bridge after an interruption is completed by the next call", async () => {
  const host = makeHost();
  const driver = createNspawnDriver(host);
  const broken = createNspawnDriver({
    ...host,
    files: host.files,
    run: async (argv, options) => {
      if (argv.includes("-batch")) throw new Error("killed");
      return host.run(argv, options);
    },
  });
  await assert.rejects(broken.ensureSegment(dmz, owner), /killed/);
  assert.deepEqual(await driver.inspectSegment(dmz), { owner });
  await driver.removeSegment(dmz, owner);
  assert.deepEqual(host.traces("/data/stacks"), []);
});

test("an unexpected command is refused with the list of expected commands", async () => {
  const host = makeHost(commands.slice(0, 1));
  await assert.rejects(createNspawnDriver(host).ensureSegment(dmz, owner), (error: Error) => {
    assert.match(error.message, /no test expects the command\n {2}ip -n gp-lab -json link show\n/);
    assert.match(error.message, /expected are:\n {2}ip netns add gp-lab$/);
    return true;
  });
  assert.deepEqual(programs(host), ["set", "ip", "ip"]);
});

test("a host that cannot run system containers reports everything that is missing", async () => {
  const mac = new RecordingHost({ facts: { platform: "darwin" } });
  const ids = async (host: RecordingHost) => (await createNspawnDriver(host).problems()).map(({ id }) => id);
  assert.deepEqual(await ids(mac), ["not-linux"]);
  const check = (program: string) => ["sh", "-c", 'command -v "$1"', "sh", program];
  const bare = new RecordingHost({
    facts: { uid: 1000 },
    files: { "/proc/filesystems": "nodev\ttmpfs\n", "/proc/sys/kernel/osrelease": "6.1.0\n" },
    commands: [
      { argv: check("systemd-nspawn"), exitCode: 1 },
      ...["slirp4netns", "ip", "mkfs.ext4", "nsenter", "unshare", "perl"].map((program) => ({ argv: check(program) })),
    ],
  });
  assert.deepEqual(await ids(bare), [
    ...["not-root", "nspawn-missing", "overlay-missing", "cgroups-missing", "tun-missing"],
  ]);
});
