import type { DriverName } from "../model/drivers";
import type { HostFinding, HostProblem } from "../model/host-finding";
import type {
  DiskSpec,
  ImageSpec,
  MachineName,
  MachineSpec,
  MachineState,
  Owner,
  SeedFiles,
  SegmentSpec,
  SegmentState,
  StackObject,
} from "../model/hypervisor-objects";
import type {
  CreateSnapshot,
  RestoreSnapshot,
  SnapshotName,
  SnapshotState,
  UnfinishedSnapshot,
} from "../model/stack-snapshots";
import { UserError } from "../model/user-error";

/**
 * The driver port: everything that groundplane asks of a hypervisor, in groundplane's own terms. One contract suite
 * (test/contract) holds every driver, including the fake, to the comments here.
 *
 * Every method is idempotent: when a call was killed half way, the next one finishes the work. Every object belongs to one
 * stack. An object of the same name with another owner is a `ForeignObjectError` and is never touched. `remove*` and
 * `stop*` accept missing objects.
 */

export type * from "../model/hypervisor-objects";
export type { HostFinding, HostProblem };

/** How much of a machine's console, and of what its programs on the host print, is kept. */
export const OUTPUT_LIMIT = 8 * 1024 * 1024;

export interface Hypervisor {
  readonly name: DriverName;

  /** Why this driver cannot work on this host; empty when it can. Read-only. */
  problems(): Promise<readonly HostProblem[]>;
  /** All findings about this host, including `problems`; absent when there is nothing more to report. */
  examineHost?(): Promise<readonly HostFinding[]>;

  ensureSegment(spec: SegmentSpec, owner: Owner): Promise<void>;
  inspectSegment(spec: SegmentSpec): Promise<SegmentState | undefined>;
  /** Why this host cannot have the segment; absent when any host can. Read-only. */
  segmentProblems?(spec: SegmentSpec): Promise<readonly HostProblem[]>;
  /** Removing the last segment of a stack also removes what the driver keeps per stack. */
  removeSegment(spec: SegmentSpec, owner: Owner): Promise<void>;

  /** The digest of an image that is ready for machines; undefined when it is absent or incomplete. */
  inspectImage(spec: ImageSpec): Promise<{ readonly digest: string } | undefined>;
  /**
   * Prepares a sealed image for this driver, once for all stacks: drivers of virtual machines convert the disk, system
   * containers use the folder as it is.
   * @throws UserError `image-missing` when the image store does not contain it
   */
  ensureImage(spec: ImageSpec): Promise<{ readonly digest: string }>;
  /** Removes what `ensureImage` created, unless a machine of any stack still needs it. Keeps the sealed image. */
  releaseImage(spec: ImageSpec): Promise<void>;
  /** What `ensureImage` created and still exists. Absent if the driver uses the sealed images. Read-only. */
  preparedImages?(): Promise<readonly PreparedImage[]>;

  /** Creates the disk, or adopts an existing one with its data. */
  ensureDisk(spec: DiskSpec, owner: Owner): Promise<void>;
  inspectDisk(spec: Pick<DiskSpec, "stack" | "name">): Promise<(DiskSpec & { readonly owner: Owner }) | undefined>;
  removeDisk(spec: Pick<DiskSpec, "stack" | "name">, owner: Owner): Promise<void>;

  /**
   * Creates the machine's record, disk and seed; does not start it. Marks the owner before anything else. Completes an
   * incomplete machine of the same owner. Changes a complete one whose settings differ from `spec`, and stops it first when
   * the change requires it. Always writes the seed.
   *
   * @param announce called with a sentence for users before a running machine is stopped for a change
   */
  ensureMachine(
    spec: MachineSpec,
    seed: SeedFiles,
    owner: Owner,
    announce?: (text: string) => void,
  ): Promise<MachineState>;
  /** `undefined` when no machine of that name has a complete record. */
  inspectMachine(machine: MachineName): Promise<MachineState | undefined>;
  /** Returns when the machine's processes run, before the guest has booted. Does nothing for a running machine. */
  startMachine(machine: MachineName): Promise<void>;
  /** Shuts down the guest, and cuts the power after `deadlineMs`. */
  stopMachine(machine: MachineName, deadlineMs: number): Promise<void>;
  /** Cuts the power, then removes the machine and everything that it owned except data disks. */
  removeMachine(machine: MachineName, owner: Owner): Promise<void>;
  /** Every machine of the stack with any trace on the host, complete or not. */
  listMachines(stack: string): Promise<readonly MachineName[]>;
  /**
   * Every machine, segment and data disk of the stack with any trace on the host, complete or not, with the owner in its mark.
   * For a stack whose Pulumi state is lost. Read-only.
   */
  listObjects(stack: string): Promise<readonly StackObject[]>;

  /** Optional capabilities; absent when the hypervisor lacks them. */
  readonly links?: LinkControl;
  readonly hardKill?: HardKill;
  readonly consoleLog?: ConsoleLog;
  readonly snapshots?: Snapshots;
  readonly systemDisks?: SystemDisks;
}

export interface PreparedImage extends ImageSpec {
  /** The image in the driver's form. Images with equal content may share it. */
  readonly file: string;
}

export interface LinkControl {
  /** Plugs or pulls the network cables of a running machine, all of them or one segment's. */
  setLink(machine: MachineName, up: boolean, segment?: string): Promise<void>;
}

export interface HardKill {
  /** Unplugs all cables first, so that no closing packets leave the machine, then kills it. */
  hardKill(machine: MachineName): Promise<void>;
}

export interface ConsoleLog {
  /** Path of a file on the host with the console's output since the last start. */
  consoleLogPath(machine: MachineName): string;
}

/**
 * Snapshots of a whole stack: the system disks and the attached data disks of all machines, without their memory. They are in the
 * stack's folder or in the machines' disks, and end with the stack's last segment. A call that was killed is ended by the next one,
 * or by the next start of each machine.
 */
export interface Snapshots {
  /**
   * Pauses the running machines, so that all disks are of one instant, and resumes them whatever happens. A failed or interrupted
   * creation leaves nothing. Space is checked before anything is paused.
   * @throws UserError `snapshot-exists`, `no-machines`, `roll-in-progress`, `restore-interrupted`, `disk-full`, `interrupted`
   */
  createSnapshot(snapshot: SnapshotName, options?: CreateSnapshot): Promise<SnapshotState>;
  /** Oldest first. Read-only. */
  listSnapshots(stack: string): Promise<readonly SnapshotState[]>;
  /**
   * Cuts the power of all machines, puts their disks back and starts all of them. An interrupted restore is completed by a repetition,
   * and for each machine by `startMachine`: a machine never starts with another state than the rest of the stack.
   * @throws UserError `snapshot-missing`, and `snapshot-differs` if a machine was added, removed, recreated or has another image
   */
  restoreSnapshot(snapshot: SnapshotName, options?: RestoreSnapshot): Promise<SnapshotState>;
  /** @throws UserError `snapshot-missing` */
  deleteSnapshot(snapshot: SnapshotName): Promise<void>;
  /** The snapshot whose restore was interrupted: machines with a former disk still have to start. Read-only. */
  interruptedRestore(stack: Pick<SnapshotName, "stack">): Promise<string | undefined>;
  /** What keeps machines from running now. Read-only. */
  unfinishedSnapshot(stack: string): Promise<UnfinishedSnapshot | undefined>;
}

/**
 * The system disk of a machine that exists, without another generation: it stays the same machine, with its identity, network cards
 * and data disks.
 */
export interface SystemDisks {
  /**
   * Shuts the machine down, sets its system disk aside, creates one of the image in its place and writes the seed. Does not start
   * it. For a machine that has the image already it only completes the disk and writes the seed. A disk that is still aside
   * returns first.
   */
  exchangeSystemDisk(machine: MachineName, image: string, seed: SeedFiles, owner: Owner): Promise<MachineState>;
  /** Shuts the machine down and puts back the disk that was set aside; without one it does nothing. Does not start the machine. */
  restoreSystemDisk(machine: MachineName, owner: Owner): Promise<MachineState>;
  /** Removes the disk that was set aside, whether the machine runs or not. */
  dropFormerSystemDisk(machine: MachineName, owner: Owner): Promise<void>;
}

/** The image store does not contain the requested image. */
export class ImageMissingError extends UserError {
  constructor(name: string) {
    super("image-missing", `the image ${name} is not there, or not complete`, "run `npx groundplane image build`");
    this.name = "ImageMissingError";
  }
}

/**
 * @param known names of the stack's segments
 * @throws UserError `segment-missing` if the machine is attached to another one
 */
export function requireSegments({ name, nics }: MachineSpec, known: readonly string[]): void {
  const unknown = nics.find((nic) => !known.includes(nic.segment));
  if (!unknown) return;
  throw new UserError(
    "segment-missing",
    `machine ${name} is attached to segment ${unknown.segment}, which does not exist`,
    "create the segment first",
  );
}

export class ForeignObjectError extends UserError {
  constructor(what: string, owner: Owner | undefined) {
    super(
      "foreign-object",
      `${what} exists and belongs to ${owner ? `${owner.urn} of stack ${owner.stack}` : "another owner"}`,
      "rename the stack, or remove that object yourself if it is not needed",
    );
    this.name = "ForeignObjectError";
  }
}

export const isOwner = (a: Owner, b: Owner): boolean => a.stack === b.stack && a.urn === b.urn;
