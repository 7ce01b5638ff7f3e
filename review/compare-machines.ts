import { type Change, diskChanges, machineChanges, restartsOn } from "../model/change-classes";
import { type DriverName, drivers } from "../model/drivers";
import { type CountOf, keepsImage } from "../model/image-rolls";
import type { MachineInputs } from "../model/resource-types";
import type { RenderedNode } from "./render-stack";

/** What differs between two renderings of one machine, and what the differences do to it. */
export interface MachineDifference {
  readonly effect: "replace" | "restart" | "roll" | "update" | "later" | "none";
  /** e.g. `memoryMiB: 512 -> 1024` */
  readonly reasons: readonly string[];
  /** What the next machine of this name has, besides its seed, e.g. another image. */
  readonly pending: readonly string[];
}

export interface ComparedBy {
  readonly driver: DriverName | "auto";
  /** The image that the driver boots, in the form that both renderings have. */
  imageOf(node: RenderedNode): string;
  /** The number of nodes with a role. */
  readonly countOf: CountOf;
}

/** One value of an input. An earlier revision may lack it. */
interface Facet {
  readonly label: string;
  readonly value: string | number;
  /** Shown in reasons instead of the value. */
  readonly shown?: string | undefined;
  /** Instead of that of the input. */
  readonly change?: Change;
}

/** Of a machine that exists. */
const followed: Change = { class: "rolling", effect: machineChanges.image.effect };

const facet = (label: string, value: string | number): readonly Facet[] => [{ label, value }];
/** A rendering is of one stack, and its machines are compared by name and on the driver of the new one. */
const sameByDefinition = (): readonly Facet[] => [];

/** Every input of a machine as the rendering has it. */
const facetsOf: Readonly<Record<keyof MachineInputs, (node: RenderedNode, by: ComparedBy) => readonly Facet[]>> = {
  driver: sameByDefinition,
  stack: sameByDefinition,
  name: sameByDefinition,
  roles: ({ roles }) => facet("roles", roles.join(", ")),
  uuid: ({ uuid }) => facet("uuid", uuid),
  image: (node, { driver, imageOf, countOf }) => {
    const follows = keepsImage(node.roles, countOf, driver) === undefined;
    return [{ label: "image", value: imageOf(node), ...(follows && { change: followed }) }];
  },
  cpus: ({ cpus }) => facet("cpus", cpus),
  memoryMiB: ({ memoryMiB }) => facet("memoryMiB", memoryMiB),
  diskGiB: ({ diskGiB }) => facet("diskGiB", diskGiB),
  volumes: (node, by) => facet("volumes", hasVolumes(by) ? volumesOf(node) : ""),
  nics: ({ interfaces }) => [
    {
      label: "network cards",
      value: interfaces.map(({ name, segment, mac }) => `${name} in ${segment} ${mac}`).join(", "),
      shown: interfaces.map(({ mac }) => mac).join(" "),
    },
  ],
  uplink: ({ uplink }) => {
    if (uplink === undefined) return [];
    const forwards = uplink.forwards.map(({ hostPort, guestPort }) => `${hostPort} to ${guestPort}`).join(", ");
    // Like any network card, it changes only while the machine is stopped.
    return [
      { label: "host ports", value: forwards },
      { label: "uplink", value: uplink.mac, change: { ...machineChanges.uplink, restart: "always" } },
    ];
  },
  disks: ({ dataDisks }) => [
    ...facet("data disks", dataDisks.map(({ name, mountPoint }) => `${name} at ${mountPoint}`).join(", ") || "none"),
    ...dataDisks.map(({ name, sizeGiB }) => ({
      ...{ label: `size of ${name} in GiB`, value: sizeGiB, change: diskChanges.sizeGiB },
    })),
  ],
  // Earlier revisions have none.
  shutdownSeconds: ({ shutdownSeconds }: Partial<RenderedNode>) =>
    shutdownSeconds === undefined ? [] : facet("shutdownSeconds", shutdownSeconds),
  seed: ({ firstBoot }) => [{ label: "first-boot seed", value: firstBoot, shown: "" }],
  // The seed names them, and their values are in the state only.
  secrets: sameByDefinition,
};

const hasVolumes = ({ driver }: ComparedBy): boolean => driver === "auto" || drivers[driver].imageForm === "disk";

/** A share of the disk changes with the disk, which is a difference of its own. */
const volumesOf = ({ volumes }: RenderedNode): string =>
  volumes.flatMap(({ mountPoint, sizeMiB, named }) => (named ? [`${mountPoint} ${sizeMiB} MiB`] : [])).join(", ") ||
  "none";

interface Difference {
  readonly input: keyof MachineInputs;
  readonly change: Change;
  readonly reason: string;
}

export function compareMachines(old: RenderedNode, node: RenderedNode, by: ComparedBy): MachineDifference {
  const differences = (Object.keys(facetsOf) as (keyof MachineInputs)[]).flatMap((input) =>
    differencesOf(input, old, node, by),
  );
  const reasonsOf = (some: readonly Difference[]): readonly string[] => some.map(({ reason }) => reason);
  const later = differences.filter(({ change }) => change.readAtCreation);
  const now = differences.filter(({ change }) => !change.readAtCreation);
  const replacing = now.filter(({ change }) => change.class === "replace" || change.class === "creation-only");
  const pending = later.filter(({ input }) => input !== "seed").map(({ reason }) => `${reason} when it is recreated`);
  if (replacing.length > 0) return { effect: "replace", reasons: reasonsOf(replacing), pending };
  if (now.length === 0) return { effect: later.length > 0 ? "later" : "none", reasons: reasonsOf(later), pending };
  const restarting = now.filter(({ change }) => restartsOn(change, by.driver));
  const isRolled = now.some(({ change }) => change === followed);
  if (restarting.length === 0) return { effect: isRolled ? "roll" : "update", reasons: reasonsOf(now), pending };
  // What only some drivers restart for.
  const depends = by.driver === "auto" && restarting.every(({ change }) => change.restart !== "always");
  const note = depends ? ["a virtual machine restarts, a system container does not"] : [];
  return { effect: "restart", reasons: [...reasonsOf(now), ...note], pending };
}

function differencesOf(
  input: keyof MachineInputs,
  old: RenderedNode,
  node: RenderedNode,
  by: ComparedBy,
): readonly Difference[] {
  const before = new Map(facetsOf[input](old, by).map((one) => [one.label, one]));
  return facetsOf[input](node, by).flatMap((one) => {
    const former = before.get(one.label);
    if (former === undefined || former.value === one.value) return [];
    const [from, to] = [former.shown ?? former.value, one.shown ?? one.value];
    const reason = from === to ? one.label : `${one.label}: ${from} -> ${to}`;
    return [{ input, change: one.change ?? machineChanges[input], reason }];
  });
}
