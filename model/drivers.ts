/** What a machine's system disk is made from: a folder under an overlay, or a disk with LVM. */
export type ImageForm = "tree" | "disk";

/** What a driver can do and what differs for its machines. Code asks for a feature, never for a driver's name. */
export interface DriverFeatures {
  readonly imageForm: ImageForm;
  /** Machines run on the host's kernel, so memory that they do not use stays free. */
  readonly sharesKernel: boolean;
  /** A running machine takes other processors and memory without a stop. */
  readonly resizesLive: boolean;
  /** Its disks grow while it runs. */
  readonly growsLive: boolean;
  /** A machine that exists gets a system disk of another image, and its former one returns if that fails. */
  readonly exchangesDisks: boolean;
  /** A test moves a cluster of its machines to another release of Kubernetes. */
  readonly upgrades: boolean;
  /** A test moves the data of etcd's only member to a system disk of another image. */
  readonly movesEtcd: boolean;
  /** What a snapshot of the stack is: copies of the disks, or layers that grow while the machines write. */
  readonly snapshots: "copies" | "layers";
  /** What occupies the processor's virtualisation, which one hypervisor of a host has at a time; absent: nothing does. */
  readonly virtualisation?: string;
  /** Without virtualisation, machines still run, on an emulated processor. */
  readonly emulates: boolean;
  /** Segments can be attached to the host, or to one of its adapters. */
  readonly attachesSegments: boolean;
  /** Machines and guests are simulated and need nothing of the host. */
  readonly simulated: boolean;
  /** Where a data disk's content is in the folder of its stack's disks; absent: it has none. No two drivers share a place. */
  readonly diskContent?: (disk: string) => string;
}

/** The drivers that this version has, one row each. */
export const drivers = {
  nspawn: {
    imageForm: "tree",
    sharesKernel: true,
    resizesLive: true,
    growsLive: true,
    exchangesDisks: true,
    upgrades: true,
    movesEtcd: true,
    snapshots: "copies",
    emulates: false,
    attachesSegments: false,
    simulated: false,
    diskContent: (disk: string) => `${disk}/data`,
  },
  fake: {
    imageForm: "tree",
    sharesKernel: true,
    resizesLive: true,
    growsLive: true,
    exchangesDisks: true,
    upgrades: true,
    movesEtcd: true,
    snapshots: "copies",
    emulates: false,
    attachesSegments: false,
    simulated: true,
  },
  virtualbox: {
    imageForm: "disk",
    sharesKernel: false,
    resizesLive: false,
    growsLive: false,
    exchangesDisks: false,
    upgrades: false,
    movesEtcd: false,
    snapshots: "copies",
    virtualisation: "VirtualBox",
    emulates: false,
    attachesSegments: true,
    simulated: false,
    diskContent: (disk: string) => `${disk}/disk.vdi`,
  },
  qemu: {
    imageForm: "disk",
    sharesKernel: false,
    resizesLive: false,
    growsLive: true,
    exchangesDisks: true,
    upgrades: false,
    movesEtcd: false,
    snapshots: "layers",
    virtualisation: "QEMU with KVM",
    emulates: true,
    attachesSegments: false,
    simulated: false,
    diskContent: (disk: string) => `${disk}.qemu/disk.qcow2`,
  },
} as const satisfies Readonly<Record<string, DriverFeatures>>;

export type DriverName = keyof typeof drivers;

export const driverNames = Object.keys(drivers) as readonly DriverName[];

/** What `driver: auto` tries, best first. */
export const automaticDrivers = ["virtualbox", "qemu", "nspawn"] as const satisfies readonly DriverName[];

export const isDriverName = (name: string): name is DriverName => Object.hasOwn(drivers, name);

/** The row of a driver. */
export const featuresOf = (name: DriverName): DriverFeatures => drivers[name];
