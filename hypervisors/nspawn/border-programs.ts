import {
  add,
  and,
  assemble,
  call,
  copy,
  goto,
  type Instruction,
  jumpIfEqual,
  jumpUnlessEqual,
  label,
  load,
  set,
  storeZero,
  verdicts,
} from "./bpf-program";

/**
 * What keeps a machine's root from the host's devices and kernel settings: programs that the kernel asks for every process
 * in the machine's cgroup. The guest cannot remove them, because its own view of the cgroups begins one level below. Pure.
 */
export interface BorderProgram {
  readonly name: string;
  /** Numbers of the kernel's interface: the type of the program and the hook. */
  readonly type: number;
  readonly hook: number;
  readonly code: Buffer;
}

const TYPE = { device: 15, sysctl: 23 } as const;
const HOOK = { device: 6, sysctl: 18 } as const;
const GET_SETTING_NAME = 101;
const CHARACTER_DEVICE = 2;

/** The devices that containers have everywhere, by major number and minor numbers. */
export const allowedDevices: Readonly<Record<string, { readonly major: number; readonly minors?: readonly number[] }>> =
  {
    "null, zero, full, random, urandom": { major: 1, minors: [3, 5, 7, 8, 9] },
    "tty, ptmx": { major: 5, minors: [0, 2] },
    // FUSE mounts volumes. A tap exists only in the network namespace of the process that makes it.
    "net/tun, fuse": { major: 10, minors: [200, 229] },
    "pts/*": { major: 136 },
  };

export function deviceProgram(): BorderProgram {
  const devices = Object.values(allowedDevices).flatMap(({ major, minors }, index): readonly Instruction[] => [
    jumpUnlessEqual(3, major, `after ${index}`),
    ...(minors ? minors.map((minor) => jumpIfEqual(4, minor, "allow")) : [goto("allow")]),
    label(`after ${index}`),
  ]);
  const code = assemble([
    load("u32", 2, 1, 0),
    and(2, 0xffff),
    load("u32", 3, 1, 4),
    load("u32", 4, 1, 8),
    jumpUnlessEqual(2, CHARACTER_DEVICE, "deny"),
    ...devices,
    ...verdicts,
  ]);
  return { name: "device", type: TYPE.device, hook: HOOK.device, code };
}

/** Settings below /proc/sys that belong to the machine's own namespaces. All others are the host's. */
export const ownSettings = [
  ...["net/", "fs/mqueue/", "kernel/hostname", "kernel/domainname", "kernel/ns_last_pid"],
  ...["kernel/shm", "kernel/msg", "kernel/sem", "kernel/auto_msgmni"],
] as const;

const NAME_BYTES = 24;

export function settingProgram(): BorderProgram {
  const code = assemble([
    copy(6, 1),
    load("u32", 2, 6, 0),
    jumpIfEqual(2, 0, "allow"),
    ...[8, 16, 24].map((offset) => storeZero(10, -offset)),
    copy(2, 10),
    add(2, -NAME_BYTES),
    set(3, NAME_BYTES),
    set(4, 0),
    call(GET_SETTING_NAME),
    ...ownSettings.flatMap(jumpIfNameBegins),
    ...verdicts,
  ]);
  return { name: "setting", type: TYPE.sysctl, hook: HOOK.sysctl, code };
}

function jumpIfNameBegins(prefix: string): readonly Instruction[] {
  const bytes = Buffer.from(prefix);
  const next = `not ${prefix}`;
  const steps: Instruction[] = [];
  for (let at = 0; at < bytes.length; ) {
    const width = [4, 2, 1].find((size) => at + size <= bytes.length) ?? 1;
    const name = width === 4 ? "u32" : width === 2 ? "u16" : "u8";
    steps.push(load(name, 2, 10, at - NAME_BYTES), jumpUnlessEqual(2, bytes.readUIntLE(at, width), next));
    at += width;
  }
  return [...steps, goto("allow"), label(next)];
}
