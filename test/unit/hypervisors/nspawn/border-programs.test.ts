import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceProgram, ownSettings, settingProgram } from "../../../../hypervisors/nspawn/border-programs";
import { assemble, goto, jumpIfEqual, label, set, verdicts } from "../../../../hypervisors/nspawn/bpf-program";

/** Interprets the jumps and comparisons of a program, with the registers that it would load given by name. */
function verdict(code: Buffer, registers: Record<number, bigint | number>): number {
  const values: Record<number, number> = Object.fromEntries(
    Object.entries(registers).map(([register, value]) => [register, Number(value)]),
  );
  for (let place = 0; ; place += 1) {
    const [operation, register] = [code[place * 8] ?? 0, (code[place * 8 + 1] ?? 0) & 0xf];
    const [offset, value] = [code.readInt16LE(place * 8 + 2), code.readInt32LE(place * 8 + 4)];
    const now = values[register] ?? 0;
    if (operation === 0x95) return values[0] ?? -1;
    if (operation === 0xb7) values[register] = value;
    if (operation === 0x57) values[register] = now & value;
    const jumps =
      operation === 0x05 || (operation === 0x16 && (now | 0) === value) || (operation === 0x56 && (now | 0) !== value);
    if (jumps) place += offset;
  }
}

const device = (type: number, major: number, minor: number): number => {
  // What the loads at the start of the program would read.
  const code = deviceProgram().code;
  return verdict(Buffer.concat([code.subarray(8 * 4)]), { 2: type, 3: major, 4: minor });
};

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

test("only settings of the machine's own namespaces are listed", () => {
  assert.ok(
    ownSettings.every((name) =>
      /^(net\/|fs\/mqueue\/|kernel\/(hostname|domainname|ns_last|shm|msg|sem|auto_msg))/.test(name),
    ),
  );
  assert.equal(settingProgram().code.length % 8, 0);
});

test("jumps count from the next instruction, and a missing label is an error", () => {
  const code = assemble([goto("end"), set(0, 7), label("end"), jumpIfEqual(1, -1, "deny"), ...verdicts]);
  assert.equal(code.toString("hex").slice(0, 16), "0500010000000000");
  assert.equal(code.subarray(16, 24).toString("hex"), "16010000ffffffff");
  assert.throws(() => assemble([goto("nowhere")]), /no label nowhere/);
});
