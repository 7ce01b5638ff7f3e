import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localHost } from "../../host/local-host";
import { findProcesses } from "../../host/process-table";
import { runCommand } from "../../host/run-command";
import type { MachineName, MachineSpec, Owner } from "../../hypervisors/hypervisor";
import { ForeignObjectError } from "../../hypervisors/hypervisor";
import { machineCgroups, machinePids } from "../../hypervisors/nspawn/cgroups";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { leaderOf } from "../../hypervisors/nspawn/machine-power";
import { guestNames, guestSeed, guestSegments, guestSpec, uplinkMac } from "../support/guest-machines";
import { banner, freePort, hostLinks, hostSettings, succeeds, until } from "../support/host-observations";
import { losePower } from "../support/lose-power";
import { inMachine, makeNspawnHost, nspawnSkipReason, tracesOf } from "../support/nspawn-host";

/** What holds only for system containers, beyond the driver port: the guests' view, and a host that does not change. */
const skip = nspawnSkipReason();
const host = skip ? undefined : makeNspawnHost();
const stack = `guests-${process.pid.toString(36)}`;
const owner: Owner = { stack, urn: `urn:pulumi:${stack}::contract::test` };
const driver = createNspawnDriver(localHost);
const [gateway, master, worker] = guestNames.map((name) => ({ stack, name })) as [
  MachineName,
  MachineName,
  MachineName,
];
let hostPort = 0;

const specOf = (name: string): MachineSpec => guestSpec(stack, name, host?.image("infrastructure") ?? "", hostPort);
const pings = (from: MachineName, to: string) => succeeds(inMachine(from, "ping", "-c1", "-W1", to));
const booted = (machine: MachineName) =>
  until(`${machine.name} has booted`, () => succeeds(inMachine(machine, "test", "-e", "/run/cloud-init/result.json")));

const mountsButNamespaces = () =>
  fs
    .readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(host?.data ?? "") || line.startsWith("groundplane "));

describe("system containers", { skip }, () => {
  const settingsBefore = hostSettings();
  let linksBefore = "";

  before(async () => {
    linksBefore = await hostLinks();
    hostPort = await freePort();
    for (const name of guestSegments) await driver.ensureSegment({ stack, name }, owner);
    await Promise.all(
      guestNames.map(async (name) => {
        await driver.ensureMachine(specOf(name), guestSeed(name), owner);
        await driver.startMachine({ stack, name });
      }),
    );
    await Promise.all([gateway, master, worker].map(booted));
  });

  after(async () => {
    for (const name of guestNames) await driver.removeMachine({ stack, name }, owner);
    for (const name of guestSegments) await driver.removeSegment({ stack, name }, owner);
    host?.remove();
  });

  test("guests have their interfaces by name and MAC, in their own /sys, configured by networkd", async () => {
    assert.equal(await inMachine(gateway, "ls", "/sys/class/net"), "lo\nmasters\nuplink\nworkers");
    assert.equal(await inMachine(master, "cat", "/sys/class/net/masters/address"), "52:54:00:c1:00:11");
    assert.equal(await inMachine(gateway, "cat", "/sys/class/net/uplink/address"), uplinkMac);
    assert.match(await inMachine(master, "ip", "-brief", "address", "show", "masters"), /UP +192\.168\.57\.11\/24/);
    await until("networkd is done", async () => {
      return /routable +configured/.test(await inMachine(master, "networkctl", "--no-legend", "list", "masters"));
    });
  });

  test("guests have their name and their planned identity", async () => {
    assert.equal(await inMachine(master, "hostname"), "master-1");
    assert.equal(await inMachine(master, "cat", "/etc/machine-id"), specOf("master-1").uuid.replaceAll("-", ""));
  });

  test("a segment is an isolated network", async () => {
    assert.ok(await pings(gateway, "192.168.57.11"));
    assert.ok(await pings(gateway, "192.168.58.11"));
    await inMachine(master, "ip", "route", "replace", "192.168.58.0/24", "dev", "masters");
    assert.ok(!(await pings(master, "192.168.58.11")), "no frame crosses from one segment to the other");
  });

  test("port-forwards listen on 127.0.0.1 only", async () => {
    assert.match(await banner(hostPort), /^SSH-2\.0-/);
    const listeners = (await runCommand(["ss", "-ltnH", `sport = :${hostPort}`])).stdout.trim().split("\n");
    assert.equal(listeners.length, 1);
    assert.match(listeners[0] ?? "", new RegExp(`127\\.0\\.0\\.1:${hostPort}`));
  });

  test("guests cannot reach the host's loopback", async () => {
    const server = net.createServer((socket) => socket.end("secret\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    assert.equal(await banner(port), "secret");
    const fetch = inMachine(gateway, "bash", "-c", `exec 3<>/dev/tcp/10.0.2.2/${port} && head -1 <&3`);
    await assert.rejects(fetch, /refused|failed/i);
    server.close();
  });

  test("a taken port is an error that names its holder, and forwards change while the machine runs", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    const taken = { ...specOf("gateway"), uplink: { mac: uplinkMac, forwards: [{ hostPort: port, guestPort: 22 }] } };
    await assert.rejects(driver.ensureMachine(taken, guestSeed("gateway"), owner), (error: Error & { id?: string }) => {
      assert.equal(error.id, "port-taken");
      return error.message.includes(`process ${process.pid}`);
    });
    await new Promise((resolve) => server.close(resolve));
    await driver.ensureMachine(taken, guestSeed("gateway"), owner);
    assert.match(await banner(port), /^SSH-2\.0-/);
    await assert.rejects(banner(hostPort), /ECONNREFUSED/);
    await driver.ensureMachine(specOf("gateway"), guestSeed("gateway"), owner);
    assert.match(await banner(hostPort), /^SSH-2\.0-/);
  });

  const uplinkProcess = async () => {
    const [slirp] = await findProcesses((argv) => argv.includes("slirp4netns") && argv.some((a) => a.includes(stack)));
    return slirp ?? assert.fail("no uplink");
  };

  test("new connections wait while the uplink's process does", async () => {
    const { pid } = await uplinkProcess();
    const waiting = async () => (await runCommand(["ss", "-ltnH", `sport = :${hostPort}`])).stdout.split(/\s+/)[1];
    process.kill(pid, "SIGSTOP");
    const banners = Promise.all(Array.from({ length: 8 }, () => banner(hostPort)));
    await until("all of them wait in its queue", async () => (await waiting()) === "8").finally(() =>
      process.kill(pid, "SIGCONT"),
    );
    for (const text of await banners) assert.match(text, /^SSH-2\.0-/);
  });

  test("the uplink's process is restarted after a kill", async () => {
    const slirp = await uplinkProcess();
    process.kill(slirp.pid, "SIGKILL");
    await until("the port is closed", async () => !(await succeeds(banner(hostPort))));
    await driver.startMachine(gateway);
    await until("ssh answers again", async () => /^SSH/.test(await banner(hostPort)));
  });

  test("a guest has no carrier on a pulled cable", async () => {
    await driver.links?.setLink(gateway, false, "masters");
    assert.ok(!(await pings(master, "192.168.57.1")));
    await until(
      "the guest sees it",
      async () => (await inMachine(gateway, "cat", "/sys/class/net/masters/carrier")) === "0",
    );
    await driver.links?.setLink(gateway, true, "masters");
    await until("master and gateway meet again", () => pings(master, "192.168.57.1"));
    await driver.links?.setLink(gateway, false);
    assert.equal(await inMachine(gateway, "cat", "/sys/class/net/uplink/carrier"), "0");
    await driver.links?.setLink(gateway, true);
    await until("the uplink is back", async () => /^SSH/.test(await banner(hostPort)));
  });

  test("the machine's own cgroups set its CPU shares and memory limit", async () => {
    const cgroups = await machineCgroups(localHost, master);
    const cpu = cgroups.find((cgroup) => cgroup.controllers.includes("cpu"));
    if (cpu) {
      const shares = (folder: string) => fs.readFileSync(path.join(folder, "cpu.shares"), "utf8").trim();
      assert.equal(shares(cpu.folder), "1024", "machines share equally");
      assert.equal(shares(path.dirname(cpu.folder)), "4096", "a stack has more than one process of the host");
    }
    const memory = cgroups.find((cgroup) => cgroup.controllers.includes("memory"));
    if (memory) {
      const limit = fs.readFileSync(path.join(memory.folder, "memory.limit_in_bytes"), "utf8").trim();
      assert.equal(limit, String(512 * 1024 * 1024));
    }
    assert.ok(cgroups.every((cgroup) => cgroup.folder.endsWith(`/groundplane/${stack}/master-1`)));
  });

  test("a guest shows the processors and the memory of its plan, and has no more", async () => {
    const { cpus, memoryMiB } = specOf("master-1");
    const script = fs.readFileSync(path.join(__dirname, "../../cloud-init/scripts/common/show-capacity.sh"));
    const write = [
      "mkdir -p /etc/groundplane",
      `printf 'CPUS="${cpus}"\\nMEMORY_MIB="${memoryMiB}"\\n' >/etc/groundplane/capacity`,
      `echo ${script.toString("base64")} | base64 -d >/root/show-capacity`,
    ];
    await inMachine(master, "sh", "-c", write.join(" && "));
    const unit = ["--unit=capacity", "--property=Type=notify", "--property=NotifyAccess=all"];
    await inMachine(master, "systemd-run", ...unit, "bash", "/root/show-capacity");
    // A process that enters from the host stays in the cgroup of the host.
    const inside = (...argv: string[]) => inMachine(master, "systemd-run", "--quiet", "--pipe", "--wait", ...argv);
    assert.equal(await inside("nproc"), String(cpus));
    assert.equal(await inside("getconf", "_NPROCESSORS_ONLN"), String(cpus));
    assert.equal(await inMachine(master, "sh", "-c", "free -m | awk '/^Mem:/ { print $2 }'"), String(memoryMiB));
    const take = `head -c ${memoryMiB + 200}M /dev/zero | tail -c ${memoryMiB + 200}M | wc -c`;
    assert.equal(await inside("sh", "-c", take), "0", "a process that needs more memory is killed");
    assert.equal((await driver.inspectMachine(master))?.power, "running");
    assert.notEqual(await inMachine(gateway, "sh", "-c", "free -m | awk '/^Mem:/ { print $2 }'"), String(memoryMiB));
  });

  test("running machines add no mount or link to the host and change none of its settings", async () => {
    await inMachine(gateway, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    await assert.rejects(inMachine(gateway, "sh", "-c", "echo 1 > /proc/sys/kernel/panic"), /read-only/i);
    assert.deepEqual(hostSettings(), settingsBefore);
    assert.deepEqual(mountsButNamespaces(), []);
    assert.equal(await hostLinks(), linksBefore);
  });

  test("only root can read seeds and records", () => {
    const folder = path.join(host?.data ?? "", "stacks", stack, "machines", "master-1");
    const modes = [
      "seed",
      "seed/user-data",
      "seed/meta-data",
      "seed/network-config",
      "machine.json",
      "console.log",
    ].map((file) => (fs.statSync(path.join(folder, file)).mode & 0o777).toString(8));
    assert.deepEqual(modes, ["700", "600", "600", "600", "600", "600"]);
  });

  test("the console's output is kept", () => {
    const file = driver.consoleLog?.consoleLogPath(master) ?? "";
    assert.match(fs.readFileSync(file, "utf8"), /Debian GNU\/Linux/);
  });

  test("a guest still runs after its nspawn is killed, and a hard kill still stops it", async () => {
    const [nspawn] = await findProcesses(
      (argv) => argv[0] === "systemd-nspawn" && argv.includes(`--machine=gp-${stack}.worker-1`),
    );
    assert.ok(nspawn);
    process.kill(nspawn.pid, "SIGKILL");
    await sleep(200);
    assert.equal((await driver.inspectMachine(worker))?.power, "running");
    await driver.hardKill?.hardKill(worker);
    assert.equal((await driver.inspectMachine(worker))?.power, "stopped");
    assert.deepEqual(await machinePids(localHost, worker), []);
  });

  test("a guest can reboot", async () => {
    const before = await leaderOf(localHost, master);
    await inMachine(master, "systemctl", "--no-wall", "reboot").catch(() => undefined);
    await until("another system runs", async () => ![before, undefined].includes(await leaderOf(localHost, master)));
    await until("it is in its network", () => pings(master, "192.168.57.1"));
    await booted(master);
  });

  test("a clean stop lets the guest shut down", async () => {
    const stopped = performance.now();
    await driver.stopMachine(master, 60_000);
    assert.ok(performance.now() - stopped < 30_000);
    assert.match(fs.readFileSync(driver.consoleLog?.consoleLogPath(master) ?? "", "utf8"), /Powering off/);
  });

  test("after a restart of the host machines start again with their data", async () => {
    await driver.startMachine(master);
    await booted(master);
    await inMachine(master, "sh", "-c", "echo kept > /var/lib/kept; sync");
    await losePower(stack, [gateway, master]);
    const fresh = createNspawnDriver(localHost);
    assert.equal((await fresh.inspectMachine(master))?.power, "stopped");
    assert.equal((await fresh.inspectMachine(gateway))?.power, "stopped");
    await fresh.startMachine(gateway);
    await fresh.startMachine(master);
    await until("the network is back", () => pings(master, "192.168.57.1"));
    assert.equal(await inMachine(master, "cat", "/var/lib/kept"), "kept");
    await until("ssh answers again", async () => /^SSH/.test(await banner(hostPort)));
  });

  test("a stack of the same name in another data folder is refused", async () => {
    const mine = process.env.GROUNDPLANE_DATA;
    process.env.GROUNDPLANE_DATA = path.join(host?.data ?? "", "other");
    try {
      await assert.rejects(driver.ensureSegment({ stack, name: "masters" }, owner), ForeignObjectError);
    } finally {
      process.env.GROUNDPLANE_DATA = mine;
    }
    assert.equal((await driver.inspectMachine(master))?.power, "running");
  });

  test("nothing remains after everything is removed", async () => {
    for (const name of guestNames) await driver.removeMachine({ stack, name }, owner);
    for (const name of guestSegments) await driver.removeSegment({ stack, name }, owner);
    assert.deepEqual(await tracesOf(host?.data ?? "", [stack]), []);
    assert.deepEqual(hostSettings(), settingsBefore);
    assert.equal(await hostLinks(), linksBefore);
  });
});
