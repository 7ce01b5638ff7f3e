import { type DriverFeatures, type DriverName, driverNames, drivers, featuresOf, type ImageForm } from "./drivers";
import type { DiskInputs, MachineInputs } from "./resource-types";

/** What a change of a configuration key, or of an input of a machine or a data disk, means on a running stack. */
export const changeClasses = {
  live: "takes effect while machines and services run",
  rolling: "services or machines restart with their data; files change on one node after the other",
  replace: "machines are recreated; their data disks are kept",
  "creation-only": "is refused on a running stack; a preview names what can be done instead",
} as const;

export type ChangeClass = keyof typeof changeClasses;

/** The feature of a driver without which its machines restart for the change. */
type SparesRestart = keyof Pick<DriverFeatures, "resizesLive" | "growsLive">;

export interface Change {
  readonly class: ChangeClass;
  /** One sentence for documents and reviews. */
  readonly effect: string;
  /** Whether machines restart for it, all that it concerns at the same time; absent = never. */
  readonly restart?: "always" | SparesRestart;
  /** Only machines that boot from an image of this form have it; for others, any change is without effect. */
  readonly form?: ImageForm;
  /** The value is read when the machine is created. A different value is no difference of a machine that exists. */
  readonly readAtCreation?: true;
}

export const restartsOn = ({ restart }: Change, driver: DriverName | "auto"): boolean => {
  if (restart === undefined || restart === "always") return restart === "always";
  // Reported for the drivers on which more happens.
  return driver === "auto" || !featuresOf(driver)[restart];
};

/** The class on a driver: what is live on one restarts the machines of another. */
export function classOn(change: Change, driver: DriverName | "auto"): ChangeClass {
  if (change.form !== undefined && driver !== "auto" && drivers[driver].imageForm !== change.form) return "live";
  return change.class === "live" && restartsOn(change, driver) ? "rolling" : change.class;
}

/** The drivers on which the change restarts machines, for documents. */
export const restartingDrivers = (change: Change): readonly DriverName[] =>
  driverNames.filter((driver) => !featuresOf(driver).simulated && restartsOn(change, driver));

const identity = "The names, addresses and identities of machines and disks follow from it.";

/** Every input of a machine. The provider replaces and compares by this table. */
export const machineChanges: Readonly<Record<keyof MachineInputs, Change>> = {
  driver: { class: "creation-only", effect: "Machines do not move between hypervisors." },
  stack: { class: "creation-only", effect: identity },
  name: { class: "creation-only", effect: identity },
  roles: { class: "live", effect: "Drivers record them and do not read them." },
  uuid: { class: "replace", effect: "Another identity is another machine." },
  image: {
    class: "rolling",
    effect: "A machine is created from it. Nodes with another image get it one after the other, or keep theirs.",
    readAtCreation: true,
  },
  cpus: { class: "live", effect: "The machine gets them.", restart: "resizesLive" },
  memoryMiB: { class: "live", effect: "The machine gets it.", restart: "resizesLive" },
  diskGiB: { class: "live", effect: "The system disk grows. A smaller one is refused.", restart: "growsLive" },
  volumes: { class: "live", effect: "The volumes grow. A smaller one is refused." },
  nics: { class: "replace", effect: "Other network cards are those of another machine." },
  uplink: { class: "live", effect: "The port forwards change." },
  disks: { class: "rolling", effect: "Disks are attached and detached.", restart: "always" },
  shutdownSeconds: { class: "live", effect: "The next shutdown may take as long." },
  seed: { class: "live", effect: "The next machine of this name boots with it.", readAtCreation: true },
  secrets: { class: "live", effect: "The next machine of this name boots with them.", readAtCreation: true },
};

/** Every input of a data disk, which may outlive its stack. */
export const diskChanges: Readonly<Record<keyof DiskInputs, Change>> = {
  driver: { class: "creation-only", effect: "Disks do not move between hypervisors." },
  stack: { class: "creation-only", effect: identity },
  name: { class: "creation-only", effect: identity },
  uuid: { class: "creation-only", effect: "The file system on the disk has it." },
  sizeGiB: { class: "live", effect: "The disk grows. A smaller one is refused.", restart: "growsLive" },
  use: { class: "creation-only", effect: "What the disk holds is true for its stack, position and shape only." },
  keep: { class: "live", effect: "Decides what deletion does." },
};

/** The inputs of a class. */
export const inputsOfClass = <K extends string>(
  table: Readonly<Record<K, Change>>,
  ...classes: readonly ChangeClass[]
): readonly K[] => (Object.keys(table) as K[]).filter((key) => classes.includes(table[key].class));

export const readAtCreation = <K extends string>(table: Readonly<Record<K, Change>>): readonly K[] =>
  (Object.keys(table) as K[]).filter((key) => table[key].readAtCreation === true);
