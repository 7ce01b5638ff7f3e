/** A program for the kernel's BPF machine, as instructions with symbolic jump targets. Pure. */

/** Register by number: 0 result, 1 to 5 arguments and scratch, 6 to 9 kept over calls, 10 end of the stack. */
type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;
type Width = "u8" | "u16" | "u32" | "u64";

export interface Instruction {
  readonly code: number;
  readonly to?: Register;
  readonly from?: Register;
  readonly offset?: number;
  readonly value?: number;
  /** Where a jump goes. */
  readonly jump?: string;
  /** The name of this place. It is no instruction. */
  readonly label?: string;
}

const LOAD: Readonly<Record<Width, number>> = { u8: 0x71, u16: 0x69, u32: 0x61, u64: 0x79 };

export const load = (width: Width, to: Register, from: Register, offset: number): Instruction => ({
  ...{ code: LOAD[width], to, from, offset },
});
export const storeZero = (to: Register, offset: number): Instruction => ({ code: 0x7a, to, offset });
export const set = (to: Register, value: number): Instruction => ({ code: 0xb7, to, value });
export const copy = (to: Register, from: Register): Instruction => ({ code: 0xbf, to, from });
export const add = (to: Register, value: number): Instruction => ({ code: 0x07, to, value });
export const and = (to: Register, value: number): Instruction => ({ code: 0x57, to, value });
export const shiftRight = (to: Register, value: number): Instruction => ({ code: 0x77, to, value });
/** From the order of the network to a number. */
export const toNumber = (to: Register): Instruction => ({ code: 0xdc, to, value: 32 });
export const call = (helper: number): Instruction => ({ code: 0x85, value: helper });
/** The comparisons read 32 bits of the register. */
export const jumpIfEqual = (to: Register, value: number, jump: string): Instruction => ({
  code: 0x16,
  to,
  value,
  jump,
});
export const jumpUnlessEqual = (to: Register, value: number, jump: string): Instruction => ({
  ...{ code: 0x56, to, value, jump },
});
export const goto = (jump: string): Instruction => ({ code: 0x05, jump });
export const label = (name: string): Instruction => ({ code: 0, label: name });
const exit: Instruction = { code: 0x95 };

/** The end of every program: it jumps to `allow` or `deny`. */
export const verdicts: readonly Instruction[] = [label("deny"), set(0, 0), exit, label("allow"), set(0, 1), exit];

const SIZE = 8;

/** The machine code. @throws Error for a jump to a missing label */
export function assemble(program: readonly Instruction[]): Buffer {
  const places = new Map<string, number>();
  let count = 0;
  for (const { label: name } of program) {
    if (name === undefined) count += 1;
    else places.set(name, count);
  }
  const code = Buffer.alloc(count * SIZE);
  let index = 0;
  for (const instruction of program) {
    if (instruction.label !== undefined) continue;
    const start = index * SIZE;
    index += 1;
    code.writeUInt8(instruction.code, start);
    code.writeUInt8((instruction.to ?? 0) | ((instruction.from ?? 0) << 4), start + 1);
    code.writeInt16LE(jumpDistance(instruction, places, index) ?? instruction.offset ?? 0, start + 2);
    code.writeInt32LE((instruction.value ?? 0) | 0, start + 4);
  }
  return code;
}

function jumpDistance({ jump }: Instruction, places: ReadonlyMap<string, number>, next: number): number | undefined {
  if (jump === undefined) return undefined;
  const place = places.get(jump);
  if (place === undefined) throw new Error(`no label ${jump}`);
  return place - next;
}
