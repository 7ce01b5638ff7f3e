import assert from "node:assert/strict";
import { test } from "node:test";
import { bootSector, bootSectorDisk } from "../../../hypervisors/boot-sector";

const LOAD_ADDRESS = 0x7c00;

test("the sector prints its line on the first serial port, waits for the port, and halts", () => {
  assert.equal(runSector(bootSector("BOOT-OK")), "BOOT-OK\r\n");
  const longest = "x".repeat(456);
  assert.equal(runSector(bootSector(longest)), `${longest}\r\n`);
});

test("a disk contains only the sector", () => {
  const disk = bootSectorDisk("BOOT-OK");
  assert.equal(disk.length, 4 * 2 ** 20);
  assert.deepEqual(disk.subarray(0, 512), bootSector("BOOT-OK"));
  assert.equal(disk.readUInt16BE(510), 0x55aa);
  assert.ok(disk.subarray(512).every((byte) => byte === 0));
});

test("a line that does not fit or is not plain text is refused", () => {
  for (const line of ["", "x".repeat(457), "two\nlines", "ünlike"]) assert.throws(() => bootSector(line), RangeError);
});

/** The part of a 16-bit processor that the sector uses. Output before the port is ready is an error. */
class SmallProcessor {
  said = "";
  private ax = 0xffff;
  private dx = 0;
  private si = 0;
  private ip = 0;
  private zero = false;
  private questions = 0;

  constructor(private readonly sector: Buffer) {}

  /** Executes one instruction. Returns false for `hlt`. */
  step(): boolean {
    const opcode = this.byte();
    const low = this.ax & 0xff;
    if (opcode === 0xf4) return false;
    else if (opcode === 0x31 && this.byte() === 0xc0) this.ax = 0;
    else if (opcode === 0x8e && this.byte() === 0xd8) assert.equal(this.ax, 0);
    else if (opcode === 0xbe) this.si = this.byte() + this.byte() * 256 - LOAD_ADDRESS;
    else if (opcode === 0xac) this.setLow(this.sector[this.si++] as number);
    else if (opcode === 0x84 && this.byte() === 0xc0) this.zero = low === 0;
    else if (opcode === 0x88) this.ax = this.byte() === 0xc4 ? low * 257 : (this.ax >> 8) * 257;
    else if (opcode === 0xba) this.dx = this.byte() + this.byte() * 256;
    else if (opcode === 0xb2) this.dx = (this.dx & 0xff00) | this.byte();
    else if (opcode === 0xec) this.setLow(this.status());
    else if (opcode === 0xa8) this.zero = (low & this.byte()) === 0;
    else if (opcode === 0xee) this.send(low);
    else if (opcode === 0xeb) this.jump(true);
    else if (opcode === 0x74) this.jump(this.zero);
    else assert.ok([0xfa, 0xfb, 0xfc].includes(opcode), `unknown instruction 0x${opcode.toString(16)}`);
    return true;
  }

  private byte(): number {
    return this.sector[this.ip++] as number;
  }

  private setLow(value: number): void {
    this.ax = (this.ax & 0xff00) | value;
  }

  private jump(taken: boolean): void {
    const distance = (this.byte() << 24) >> 24;
    if (taken) this.ip += distance;
  }

  /** Busy at every second query. */
  private status(): number {
    assert.equal(this.dx, 0x3fd);
    return this.questions++ % 2 === 0 ? 0 : 0x20;
  }

  private send(byte: number): void {
    assert.equal(this.dx, 0x3f8);
    assert.equal(this.zero, false, "sent while the port was busy");
    this.said += String.fromCharCode(byte);
  }
}

function runSector(sector: Buffer): string {
  const processor = new SmallProcessor(sector);
  for (let count = 0; count < 20_000; count++) if (!processor.step()) return processor.said;
  throw new assert.AssertionError({ message: "it never halts" });
}
