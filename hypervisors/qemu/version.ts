/** Major and minor. */
export type QemuVersion = readonly [number, number];

/** From `qemu-system-x86_64 --version`; `undefined` when the text is something else. */
export function parseVersion(text: string): QemuVersion | undefined {
  const found = /^QEMU emulator version (\d+)\.(\d+)/m.exec(text);
  return found ? [Number(found[1]), Number(found[2])] : undefined;
}

export const isAtLeast = (version: QemuVersion, wanted: QemuVersion): boolean =>
  version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);

/** Cables that are plugged in again by themselves (`-netdev stream` with `reconnect`). */
export const OLDEST_VERSION: QemuVersion = [8, 0];
