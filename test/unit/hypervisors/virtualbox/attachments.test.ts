import assert from "node:assert/strict";
import { test } from "node:test";
import { plugOptions, wantedAdapters } from "../../../../hypervisors/virtualbox/adapters";
import { detachSegment, ensureAttached } from "../../../../hypervisors/virtualbox/attachments";
import { type Dialect, dialectFor } from "../../../../hypervisors/virtualbox/dialect";
import { VirtualBoxError } from "../../../../hypervisors/virtualbox/known-issues";
import { parseFields } from "../../../../hypervisors/virtualbox/parse-output";
import type { Session } from "../../../../hypervisors/virtualbox/vboxmanage";

const linux = dialectFor("7.2.22r1", ["Debian12_64"], "linux");
const macos = dialectFor("7.2.22r1", ["Debian12_64"], "darwin");
const onHost = { stack: "lab", name: "dmz", attachment: { kind: "host", address: "192.168.56.2/24" } } as const;

/** A session with given answers by the call's first words. All other calls succeed without output. */
function sessionOf(answers: Readonly<Record<string, string | Error | (() => string)>>) {
  const calls: string[] = [];
  const call: Session["call"] = async ({ argv }) => {
    const line = argv.join(" ");
    calls.push(line);
    const answer = answers[Object.keys(answers).find((start) => line.startsWith(start)) ?? ""] ?? "";
    if (answer instanceof Error) throw answer;
    return typeof answer === "string" ? answer : answer();
  };
  const session: Session = {
    call,
    list: async (command) => parseFields(await call(command)),
    vms: async () => [],
    vm: async () => undefined,
    media: async () => [],
  };
  return { session, calls };
}

const attach = (session: Session, dialect: Dialect) => ensureAttached(session, dialect, onHost, undefined);

test("a segment is an internal network named after its stack, and needs no call", async () => {
  const { session, calls } = sessionOf({});
  const { plug } = await ensureAttached(session, linux, { stack: "lab", name: "dmz" }, undefined);
  assert.deepEqual(plug, { kind: "intnet", network: "gp-lab-dmz" });
  assert.deepEqual(calls, []);
});

test("an existing host interface with the address is used, and kept when the segment is removed", async () => {
  const listed = "Name:            vboxnet3\nDHCP:  Disabled\nIPAddress:       192.168.56.2\n";
  const { session, calls } = sessionOf({ "list hostonlyifs": listed });
  const attached = await attach(session, linux);
  assert.deepEqual(attached, { plug: { kind: "hostonly", network: "vboxnet3" } });
  await detachSegment(session, attached);
  assert.deepEqual(calls, ["list hostonlyifs"]);
});

test("a missing host interface is created without VirtualBox's DHCP, and removed with the segment", async () => {
  const { session, calls } = sessionOf({
    "hostonlyif create": "0%...100%\nInterface 'vboxnet0' was successfully created\n",
  });
  const attached = await attach(session, linux);
  assert.deepEqual(attached, { plug: { kind: "hostonly", network: "vboxnet0" }, made: "vboxnet0" });
  const after = sessionOf({ "list hostonlyifs": "Name:  vboxnet0\nIPAddress: 192.168.56.2\n" });
  await detachSegment(after.session, attached);
  assert.deepEqual(
    [...calls, ...after.calls],
    [
      "list hostonlyifs",
      "hostonlyif create",
      "hostonlyif ipconfig vboxnet0 --ip 192.168.56.2 --netmask 255.255.255.0",
      "dhcpserver remove --interface=vboxnet0",
      "list hostonlyifs",
      "hostonlyif remove vboxnet0",
    ],
  );
});

test("an interface whose creation failed after it took effect is found by its new name", async () => {
  const lists = ["Name: vboxnet0\nIPAddress: 10.0.0.1\n", "Name: vboxnet0\n\nName: vboxnet1\n"];
  const { session, calls } = sessionOf({ "list hostonlyifs": () => lists.shift() ?? "", "hostonlyif create": "" });
  assert.equal((await attach(session, linux)).made, "vboxnet1");
  assert.ok(calls.includes("hostonlyif ipconfig vboxnet1 --ip 192.168.56.2 --netmask 255.255.255.0"));
});

test("a created interface that cannot get the address is removed", async () => {
  const reply = { exitCode: 1, signal: null, stdout: "", stderr: "VBoxManage: error: E_ACCESSDENIED" };
  const refusal = new VirtualBoxError("address-not-allowed", ["hostonlyif"], reply, undefined, undefined, "never", "");
  const { session, calls } = sessionOf({
    "hostonlyif create": "Interface 'vboxnet0' was successfully created",
    "hostonlyif ipconfig": refusal,
  });
  await assert.rejects(attach(session, linux), { id: "address-not-allowed" });
  assert.equal(calls.at(-1), "hostonlyif remove vboxnet0");
});

test("macOS gets a host-only network", async () => {
  const { session, calls } = sessionOf({});
  assert.deepEqual(await attach(session, macos), {
    plug: { kind: "hostonlynet", network: "gp-lab-dmz" },
    made: "gp-lab-dmz",
  });
  assert.equal(
    calls[1],
    "hostonlynet add --name gp-lab-dmz --netmask 255.255.255.0 --lower-ip 192.168.56.2 --upper-ip 192.168.56.3 --enable",
  );
});

test("cables connect to the segment's attachment", () => {
  const spec = { nics: [{ segment: "dmz", name: "dmz", mac: "52:54:00:00:00:01" }], stack: "lab" };
  const [adapter] = wantedAdapters(
    { ...spec, name: "x", uuid: "", image: "", cpus: 1, memoryMiB: 1, diskGiB: 1, disks: [] },
    new Map([["dmz", { kind: "bridged", network: "eth0" }]]),
  );
  assert.ok(adapter);
  assert.deepEqual(plugOptions(adapter), ["--nic1", "bridged", "--bridgeadapter1", "eth0"]);
});
