import type { DriverName } from "./drivers";
import { formatVersion, isAtLeast, parseVersion, type Version } from "./versions";

/** Which versions of a hypervisor work. */
export interface HypervisorRequirement {
  /** As people call it. */
  readonly product: string;
  /** Finds the version in the output of `--version`: the first group, with whatever follows the numbers. */
  readonly versionPattern: RegExp;
  /** The oldest version that works. */
  readonly oldest: Version;
  /** The oldest version to install, where a newer one is better. */
  readonly recommended?: Version;
  /** Newer major versions have not been tried. */
  readonly newestMajor?: number;
}

/** A program that a driver starts on a Debian host. */
export interface HostProgram {
  /** Names the finding of `doctor` when the program is missing. */
  readonly id: string;
  readonly program: string;
  /** The Debian package that has it. */
  readonly package: string;
  /** What it does, after `it`. */
  readonly task: string;
}

/** What a host must have for a driver. */
export interface DriverRequirements {
  /** The only platform that the driver works on; absent: any. */
  readonly platform?: NodeJS.Platform;
  /** Root runs the machines, and `npm start` installs what is missing. Other drivers need only what their user has. */
  readonly root: boolean;
  readonly programs: readonly HostProgram[];
  readonly hypervisor?: HypervisorRequirement;
}

/** It runs the machines of the driver `qemu`. */
export const QEMU_PROGRAM = "qemu-system-x86_64";

/**
 * The one table of requirements: `driver: auto`, `doctor`, `npm start` and the drivers' own checks read it, and a test of
 * the docs compares the documents with it.
 */
export const driverRequirements = {
  nspawn: {
    platform: "linux",
    root: true,
    programs: [
      { id: "nspawn-missing", program: "systemd-nspawn", package: "systemd-container", task: "runs the machines" },
      {
        id: "slirp4netns-missing",
        program: "slirp4netns",
        package: "slirp4netns",
        task: "provides the gateway's uplink",
      },
      { id: "iproute2-missing", program: "ip", package: "iproute2", task: "creates the stack's network" },
      { id: "e2fsprogs-missing", program: "mkfs.ext4", package: "e2fsprogs", task: "makes the file systems of pods" },
      { id: "nsenter-missing", program: "nsenter", package: "util-linux", task: "enters the stack's network" },
      { id: "unshare-missing", program: "unshare", package: "util-linux", task: "keeps mounts off the host" },
      { id: "perl-missing", program: "perl", package: "perl-base", task: "keeps machines from the host's devices" },
    ],
  },
  fake: { root: false, programs: [] },
  virtualbox: {
    root: false,
    // Each platform has its own installer.
    programs: [],
    hypervisor: {
      product: "VirtualBox",
      // `7.2.22_Debianr175245`, Oracle's `7.2.22r175245`, also after a warning of Debian's wrapper script.
      versionPattern: /^(\d+\.\d+\.\d+\S*)/m,
      // 7.0.0 omits port-forwards when it lists them, and has no internal networks on macOS.
      oldest: [7, 0, 2],
      recommended: [7, 1],
      newestMajor: 7,
    },
  },
  qemu: {
    platform: "linux",
    root: false,
    programs: [
      { id: "qemu-missing", program: QEMU_PROGRAM, package: "qemu-system-x86", task: "runs the machines" },
      { id: "qemu-img-missing", program: "qemu-img", package: "qemu-utils", task: "makes disks" },
    ],
    hypervisor: {
      product: "QEMU",
      versionPattern: /^QEMU emulator version (\d+\.\d+\S*)/m,
      // Older ones have no `reconnect` for `-netdev stream`.
      oldest: [8, 0],
    },
  },
} as const satisfies Readonly<Record<DriverName, DriverRequirements>>;

export interface InstalledHypervisor {
  /** As the program prints it, e.g. `7.2.22_Debianr175245`. */
  readonly text: string;
  readonly version: Version;
  /** Is it older than the oldest version that works? */
  readonly tooOld: boolean;
}

/** What the output of `--version` says; `undefined` when there is no version in it. */
export function installedHypervisor(
  { versionPattern, oldest }: HypervisorRequirement,
  output: string,
): InstalledHypervisor | undefined {
  const text = versionPattern.exec(output)?.[1];
  const version = text === undefined ? undefined : parseVersion(text);
  return text === undefined || version === undefined
    ? undefined
    : { text, version, tooOld: !isAtLeast(version, oldest) };
}

/** `install VirtualBox 7.1 or newer` */
export const installHint = ({ product, oldest, recommended = oldest }: HypervisorRequirement): string =>
  `install ${product} ${formatVersion(recommended)} or newer`;
