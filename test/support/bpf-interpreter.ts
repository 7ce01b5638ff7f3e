/** Where the data of a program is: at an offset of what the kernel passes to it, or of its own stack. */
interface Place {
  readonly in: Buffer;
  readonly at: number;
}

const STACK_BYTES = 512;
const WIDTHS: Readonly<Record<number, number>> = { 113: 1, 105: 2, 97: 4 };

/**
 * Runs a BPF program as the kernel would, as far as our programs go, and returns its verdict.
 * @param passed what the kernel passes in register 1
 * @param name what the helper that asks for the name of a setting answers
 */
export function runProgram(code: Buffer, passed: Buffer, name = ""): number {
  const stack: Place = { in: Buffer.alloc(STACK_BYTES, 0xff), at: STACK_BYTES };
  const places = new Map<number, Place>([
    [1, { in: passed, at: 0 }],
    [10, stack],
  ]);
  const numbers = new Map<number, number>();
  const numberIn = (register: number): number => numbers.get(register) ?? fail(`register ${register} has no number`);
  const placeIn = (register: number): Place => places.get(register) ?? fail(`register ${register} has no place`);
  for (let next = 0; ; ) {
    const start = next * 8;
    next += 1;
    const [operation, registers] = [code.readUInt8(start), code.readUInt8(start + 1)];
    const [offset, value] = [code.readInt16LE(start + 2), code.readInt32LE(start + 4)];
    const [to, from] = [registers & 0xf, registers >> 4];
    const width = WIDTHS[operation];
    if (width !== undefined) numbers.set(to, placeIn(from).in.readUIntLE(placeIn(from).at + offset, width));
    else if (operation === 0x7a) placeIn(to).in.fill(0, placeIn(to).at + offset, placeIn(to).at + offset + 8);
    else if (operation === 0xb7) numbers.set(to, value);
    else if (operation === 0x57) numbers.set(to, (numberIn(to) & value) >>> 0);
    else if (operation === 0x77) numbers.set(to, Math.floor(numberIn(to) / 2 ** value));
    else if (operation === 0xdc) numbers.set(to, Buffer.from(uint32(numberIn(to))).readUInt32BE());
    else if (operation === 0x07) places.set(to, { ...placeIn(to), at: placeIn(to).at + value });
    else if (operation === 0xbf && places.has(from)) places.set(to, placeIn(from));
    else if (operation === 0xbf) numbers.set(to, numberIn(from));
    else if (operation === 0x85) placeIn(2).in.write(name.slice(0, numberIn(3) - 1), placeIn(2).at);
    else if (operation === 0x05) next += offset;
    else if (operation === 0x16) next += (numberIn(to) | 0) === value ? offset : 0;
    else if (operation === 0x56) next += (numberIn(to) | 0) === value ? 0 : offset;
    else if (operation === 0x95) return numberIn(0);
    else fail(`operation ${operation.toString(16)} is unknown`);
  }
}

/** As it lies in memory. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function fail(problem: string): never {
  throw new Error(problem);
}
