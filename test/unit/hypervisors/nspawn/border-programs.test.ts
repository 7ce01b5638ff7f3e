import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceProgram, settingProgram } from "../../../../hypervisors/nspawn/border-programs";
import { assemble, goto, jumpIfEqual, label, set, verdicts } from "../../../../hypervisors/nspawn/bpf-program";
import { uplinkPrograms } from "../../../../hypervisors/nspawn/uplink-programs";
import { runProgram, uint32 } from "../../../support/bpf-interpreter";

const device = (type: number, major: number, minor: number): number => {
  // The kernel passes the kind of access in the upper half.
  const passed = Buffer.concat([(6 << 16) | type, major, minor].map(uint32));
  return runProgram(deviceProgram().code, passed);
};

const setting = (name: string, write = true): number => runProgram(settingProgram().code, uint32(write ? 1 : 0), name);

test("a machine's devices are those of every container, FUSE and taps", () => {
  const [block, character] = [1, 2];
  const open = [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
    [10, 200],
    [10, 229],
    [136, 0],
    [136, 77],
  ];
  for (const [major = 0, minor = 0] of open) assert.equal(device(character, major, minor), 1, `${major}:${minor}`);
  // Memory, ports, the kernel's log, the host's console, loop devices, KVM, terminals, sound, and every disk.
  const closed = [
    [1, 1],
    [1, 2],
    [1, 4],
    [1, 11],
    [5, 1],
    [10, 237],
    [10, 232],
    [4, 0],
    [116, 1],
    [7, 0],
  ];
  for (const [major = 0, minor = 0] of closed) assert.equal(device(character, major, minor), 0, `${major}:${minor}`);
  for (const [major = 0, minor = 0] of [...open, [8, 0], [254, 0], [259, 0], [7, 0]]) {
    assert.equal(device(block, major, minor), 0, `block ${major}:${minor}`);
  }
});

test("a machine writes the settings of its own namespaces, and reads all", () => {
  const own = ["net/ipv4/ip_forward", "fs/mqueue/msg_max", "kernel/hostname", "kernel/domainname", "kernel/shmmax"];
  for (const name of [...own, "kernel/msgmnb", "kernel/sem", "kernel/ns_last_pid"])
    assert.equal(setting(name), 1, name);
  const hosts = [
    "kernel/core_pattern",
    "kernel/host",
    "kernel/modprobe",
    "vm/swappiness",
    "fs/inotify/max_user_watches",
  ];
  for (const name of [...hosts, "net", "network/x", "kernel/panic", "user/max_user_namespaces"]) {
    assert.equal(setting(name), 0, name);
    assert.equal(setting(name, false), 1, `reads ${name}`);
  }
});

test("the uplink reaches the internet and what is listed, and of the host and its networks only name servers", () => {
  const programs = uplinkPrograms(["203.0.113.7"], ["192.168.1.0/24", "203.0.113.7/32"]);
  const closed = uplinkPrograms(["203.0.113.7"], []);
  const verdict = (name: string, address: string, port: number, list = closed): number => {
    const { code } = list.find((program) => program.name === name) ?? assert.fail(name);
    const passed = Buffer.alloc(28);
    Buffer.from(address.split(".").map(Number)).copy(passed, 4);
    passed.writeUInt16BE(port, 24);
    return runProgram(code, passed);
  };
  for (const name of ["connect 4", "send 4"]) {
    assert.equal(verdict(name, "198.51.100.1", 443), 1);
    for (const address of ["203.0.113.7", "192.168.1.20", "10.1.2.3", "127.0.0.1", "169.254.169.254", "224.0.0.1"]) {
      assert.equal(verdict(name, address, 443), 0, address);
      assert.equal(verdict(name, address, 53), 1, `name server ${address}`);
    }
    for (const address of ["203.0.113.7", "192.168.1.20"]) assert.equal(verdict(name, address, 443, programs), 1);
    assert.equal(verdict(name, "192.168.2.20", 443, programs), 0);
  }
  for (const name of ["connect 6", "send 6"]) {
    assert.equal(verdict(name, "198.51.100.1", 443), 0);
    assert.equal(verdict(name, "198.51.100.1", 53), 1);
  }
});

test("jumps count from the next instruction, and a missing label is an error", () => {
  const code = assemble([goto("end"), set(0, 7), label("end"), jumpIfEqual(1, -1, "deny"), ...verdicts]);
  assert.equal(code.toString("hex").slice(0, 16), "0500010000000000");
  assert.equal(code.subarray(16, 24).toString("hex"), "16010000ffffffff");
  assert.throws(() => assemble([goto("nowhere")]), /no label nowhere/);
});
