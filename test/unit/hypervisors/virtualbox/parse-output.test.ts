import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { withoutWarning } from "../../../../hypervisors/virtualbox/dialect";
import { parseMedia, parseOsTypes, parseVmInfo, parseVmList } from "../../../../hypervisors/virtualbox/parse-output";

const transcripts = path.join(__dirname, "../../../transcripts");
const transcript = (name: string): string => fs.readFileSync(path.join(transcripts, `${name}.txt`), "utf8");
const onWindows = (text: string): string => text.replaceAll("\n", "\r\n");

describe("lists of machines", () => {
  test("quotes in names are not escaped", () => {
    assert.deepEqual(parseVmList(transcript("virtualbox-7.2/vm-list")), [
      { name: 'with "quotes"', uuid: "6f1d3c1e-0000-4000-8000-0000000000b1" },
      { name: "dev-gateway", uuid: "6f1d3c1e-0000-4000-8000-0000000000b0" },
    ]);
  });

  test("a machine that VirtualBox cannot read has no name", () => {
    const uuid = "6f1d3c1e-0000-4000-8000-0000000000b2";
    assert.deepEqual(parseVmList(`"<inaccessible>" {${uuid}}\n`), [{ name: "<inaccessible>", uuid }]);
  });

  test("an empty list has no machine, and a warning of Debian's wrapper is not a machine", () => {
    assert.deepEqual(parseVmList(""), []);
    const { text, driverMissing } = withoutWarning(transcript("virtualbox-7.0/list-warning"));
    assert.equal(driverMissing, true);
    assert.deepEqual(parseVmList(text), [{ name: "dev-gateway", uuid: "6f1d3c1e-0000-4000-8000-0000000000b0" }]);
    assert.deepEqual(parseVmList(transcript("virtualbox-7.0/list-warning")), parseVmList(text));
  });
});

for (const [where, read] of [
  ["Linux", transcript],
  ["Windows", (name: string) => onWindows(transcript(name))],
] as const) {
  describe(`a machine with line ends of ${where}`, () => {
    const stopped = parseVmInfo(read("virtualbox-7.2/vm-info-stopped"));
    const running = parseVmInfo(read("virtualbox-7.2/vm-info-running"));

    test("plain, quoted and numeric values", () => {
      const wanted = {
        ...{ name: "dev-gateway", groups: "/groundplane-dev", ostype: "Debian 12 Bookworm (64-bit)", memory: "512" },
        ...{ cpus: "2", firmware: "BIOS", VMState: "poweroff", defaultfrontend: "", "SATA-1-0": "none" },
        ...{ "SATA-0-0": "/host/data/system.vdi", "SATA-2-0": "emptydrive", uartmode1: "file,/host/data/console.log" },
        ...{
          storagecontrollerportcount0: "4",
          nic1: "intnet",
          nictype1: "virtio",
          cableconnected1: "on",
          nic4: "none",
        },
      };
      for (const [key, value] of Object.entries(wanted)) assert.equal(stopped.values.get(key), value, key);
    });

    test("names of internal networks are not escaped", () => {
      assert.equal(stopped.values.get("intnet1"), 'a "b" \\ c');
    });

    test("port-forwards belong to the adapter before them", () => {
      const local = { protocol: "tcp", hostIp: "127.0.0.1" };
      assert.deepEqual(
        [...stopped.forwards],
        [
          [
            2,
            [
              { ...local, name: "api", hostPort: 23022, guestIp: "10.0.2.15", guestPort: 6443 },
              { ...local, name: "ssh", hostPort: 23021, guestIp: "", guestPort: 22 },
            ],
          ],
          [3, [{ name: "web", protocol: "udp", hostIp: "", hostPort: 23023, guestIp: "", guestPort: 80 }]],
        ],
      );
      assert.deepEqual(running.forwards, stopped.forwards);
    });

    test("text in the description is not a setting", () => {
      assert.equal(stopped.values.get("nic5"), "none");
      assert.deepEqual([...stopped.forwards.keys()], [2, 3]);
      assert.equal(
        stopped.values.get("description"),
        'a "quoted" \\ line\nnic5="bridged"\nForwarding(9)="no,tcp,,1,,1"\nlast',
      );
      assert.equal(stopped.values.get("GuestMemoryBalloon"), "0", "what comes behind it is read again");
    });

    test("a running machine's different lines are parsed", () => {
      assert.equal(running.values.get("VMState"), "running");
      assert.equal(running.values.get("nic1"), "intnet");
      assert.equal(running.values.get("CurrentSnapshotName"), "first");
      assert.match(running.values.get("SATA-0-0") ?? "", /Snapshots\/\{.*\}\.vdi$/);
    });
  });
}

test("the output of 7.0 on Windows is parsed", () => {
  const { values, forwards } = parseVmInfo(onWindows(transcript("virtualbox-7.0/vm-info")));
  assert.equal(values.get("SATA-0-0"), "C:\\Users\\Ann Lee\\groundplane\\system.vdi");
  assert.equal(values.get("uartmode1"), "file,C:\\Users\\Ann Lee\\groundplane\\console.log");
  assert.equal(values.get("cableconnected2"), "off");
  assert.equal(values.get("description"), "");
  assert.deepEqual([...forwards.keys()], [1]);
});

test("a shared image, a machine's disk and a snapshot's disk are parsed", () => {
  for (const text of [transcript("virtualbox-7.2/hard-disks"), onWindows(transcript("virtualbox-7.2/hard-disks"))]) {
    const [image, system, snapshot, ...others] = parseMedia(text);
    assert.deepEqual(others, []);
    const uuid = "6f1d3c1e-0000-4000-8000-0000000000a0";
    assert.deepEqual(image, {
      ...{ uuid, parent: undefined, state: "created", type: "multiattach", location: "/host/data/image.vdi" },
      capacityMiB: 4,
    });
    assert.deepEqual(system, {
      ...{ uuid: system?.uuid, parent: uuid, state: "created", type: "normal (differencing)" },
      ...{ location: "/host/data/system.vdi", capacityMiB: 4096 },
    });
    assert.equal(snapshot?.parent, system?.uuid);
  }
  assert.deepEqual(parseMedia("\n\n"), []);
});

test("a medium without its file is inaccessible", () => {
  const text = transcript("virtualbox-7.2/hard-disks").replace(/^State: .*/m, "State:          inaccessible");
  assert.equal(parseMedia(text)[0]?.state, "inaccessible");
});

test("lists of guest systems of 7.2 and of older versions are parsed", () => {
  assert.ok(parseOsTypes(transcript("virtualbox-7.2/os-types")).includes("Debian12_64"));
  assert.ok(!parseOsTypes(transcript("virtualbox-7.2/os-types")).includes("Debian14_64"));
  const older = ["Debian", "Debian_64", "Debian12_64"];
  assert.deepEqual(parseOsTypes(transcript("virtualbox-7.0/os-types")), older);
  assert.deepEqual(parseOsTypes(onWindows(transcript("virtualbox-7.0/os-types"))), older);
});
