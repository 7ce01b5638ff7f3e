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
} from "../model/hypervisor-objects";
import { UserError } from "../model/user-error";

/**
 * The driver port: everything groundplane asks of a hypervisor, in groundplane's own words. One contract suite
 * (test/contract) holds every driver and the in-memory fake to the comments here.
 *
 * Every method is idempotent: it may have been killed half way before, and called again it finishes the work.
 * Every object belongs to one stack; an object of the same name that another owner made is a `ForeignObjectError`,
 * and is never touched. Missing objects are fine for every `remove*` and `stop*`.
 */

export type * from "../model/hypervisor-objects";
export type { HostFinding, HostProblem };

export interface Hypervisor {
  readonly name: DriverName;

  /** Why this driver cannot work on this host; empty = usable. Never changes anything. */
  problems(): Promise<readonly HostProblem[]>;
  /** All that is to be known about this host, `problems` among it; absent where there is nothing more. */
  examineHost?(): Promise<readonly HostFinding[]>;

  ensureSegment(spec: SegmentSpec, owner: Owner): Promise<void>;
  inspectSegment(spec: SegmentSpec): Promise<SegmentState | undefined>;
  /** Why this host cannot have the segment; absent = any host can. Looks only. */
  segmentProblems?(spec: SegmentSpec): Promise<readonly HostProblem[]>;
  /** The last segment of a stack takes along whatever the driver keeps per stack. */
  removeSegment(spec: SegmentSpec, owner: Owner): Promise<void>;

  /** The digest of an image that machines can be made from at once; undefined when it is absent or incomplete. */
  inspectImage(spec: ImageSpec): Promise<{ readonly digest: string } | undefined>;
  /**
   * Makes what this driver needs of a sealed image, once for all stacks: drivers of virtual machines convert the disk,
   * system containers use the folder as it is.
   * @throws UserError `image-missing` when the image store does not hold it
   */
  ensureImage(spec: ImageSpec): Promise<{ readonly digest: string }>;
  /** Removes what `ensureImage` made, unless a machine of any stack still needs it; the sealed image itself stays. */
  releaseImage(spec: ImageSpec): Promise<void>;

  /** Makes the disk, or adopts the one that is there (data are kept). */
  ensureDisk(spec: DiskSpec, owner: Owner): Promise<void>;
  inspectDisk(spec: Pick<DiskSpec, "stack" | "name">): Promise<(DiskSpec & { readonly owner: Owner }) | undefined>;
  removeDisk(spec: Pick<DiskSpec, "stack" | "name">, owner: Owner): Promise<void>;

  /**
   * Creates the machine's record, disk and seed; does not start it. Ownership is marked before anything else. A
   * half-made machine of the same owner is finished; a finished one whose settings differ is changed to `spec`
   * (stopped first where the change needs it). The seed is (re)written as given.
   *
   * @param announce is told, in a sentence for people, before a running machine is stopped for a change
   */
  ensureMachine(
    spec: MachineSpec,
    seed: SeedFiles,
    owner: Owner,
    announce?: (text: string) => void,
  ): Promise<MachineState>;
  /** `undefined` when no machine of that name has a complete record. */
  inspectMachine(machine: MachineName): Promise<MachineState | undefined>;
  /** Returns when the machine's processes run, not when the guest has booted. A running machine is left alone. */
  startMachine(machine: MachineName): Promise<void>;
  /** Orderly shutdown; after `deadlineMs` the power is cut. */
  stopMachine(machine: MachineName, deadlineMs: number): Promise<void>;
  /** Cuts the power if it runs, then removes the machine and all it owned but data disks. */
  removeMachine(machine: MachineName, owner: Owner): Promise<void>;
  /** Every machine of the stack that has any trace on the host, complete or not. */
  listMachines(stack: string): Promise<readonly MachineName[]>;

  /** Optional capabilities; absent where the hypervisor has none. */
  readonly links?: LinkControl;
  readonly hardKill?: HardKill;
  readonly consoleLog?: ConsoleLog;
  readonly snapshots?: Snapshots;
}

export interface LinkControl {
  /** Plugs or pulls the network cables of a running machine, all of them or one segment's. */
  setLink(machine: MachineName, up: boolean, segment?: string): Promise<void>;
}

export interface HardKill {
  /** Pulls all cables first, so that no goodbye leaves the machine, then kills it at once. */
  hardKill(machine: MachineName): Promise<void>;
}

export interface ConsoleLog {
  /** Path of a file on the host with the console's output since the last start. */
  consoleLogPath(machine: MachineName): string;
}

export interface Snapshots {
  takeSnapshot(machine: MachineName, name: string): Promise<void>;
  restoreSnapshot(machine: MachineName, name: string): Promise<void>;
  deleteSnapshot(machine: MachineName, name: string): Promise<void>;
}

/** The image store does not hold an image that is asked for. */
export class ImageMissingError extends UserError {
  constructor(name: string) {
    super("image-missing", `the image ${name} is not there, or not complete`, "run `npx groundplane image build`");
    this.name = "ImageMissingError";
  }
}

export class ForeignObjectError extends UserError {
  constructor(what: string, owner: Owner | undefined) {
    super(
      "foreign-object",
      `${what} exists and belongs to ${owner ? `${owner.urn} of stack ${owner.stack}` : "somebody else"}`,
      "rename the stack, or remove that object yourself if nobody needs it",
    );
    this.name = "ForeignObjectError";
  }
}

export const isOwner = (a: Owner, b: Owner): boolean => a.stack === b.stack && a.urn === b.urn;
