import { type DriverName, drivers, type ImageForm } from "../model/drivers";
import { refusedLosses } from "../model/plan-losses";
import { type GuardedMembers, guardedRole, type Pool, type PresentMember, poolOf } from "../model/pool-change";
import { keepersOfData } from "../stacks/plan/plan-volume";
import { objectChanges } from "./object-changes";
import type { RenderedNode, StackRendering } from "./render-stack";
import type { Action, FileChange, NodeChange } from "./review";

export interface Comparison {
  readonly changes: readonly NodeChange[];
  readonly refused: readonly string[];
  readonly unchangedNodes: number;
}

/** The changes from `before` to `after`, on the assumption that all machines are healthy. */
export function compareRenderings(before: StackRendering | undefined, after: StackRendering): Comparison {
  const old = new Map((before?.nodes ?? []).map((node) => [node.name, node]));
  const wanted = new Map(after.nodes.map((node) => [node.name, node]));
  const imageOf = comparedImage(before, after);
  const changes = after.nodes.flatMap((node) => changeOf(old.get(node.name), node, after.driver, imageOf));
  const objects = before?.objects && after.objects ? objectChanges(before.objects, after.objects) : [];
  const removed = [...old.values()].filter(({ name }) => !wanted.has(name));
  return {
    changes: [...changes, ...removed.map((node) => simple(node, "remove")), ...objects],
    refused: [...refusedByGuard(before, after, imageOf), ...refusedDisks(old, after)],
    unchangedNodes: after.nodes.length - changes.length,
  };
}

type ImageOf = (node: RenderedNode) => string;

/** The image that the driver boots, in the form that both renderings have. */
function comparedImage(before: StackRendering | undefined, after: StackRendering): ImageOf {
  const booted: readonly ImageForm[] = after.driver === "auto" ? ["tree", "disk"] : [drivers[after.driver].imageForm];
  const isOfEarlierRevision = before !== undefined && before.distribution === undefined;
  const ofEarlier: readonly ImageForm[] = after.distribution === "debian" ? ["tree"] : [];
  const forms = isOfEarlierRevision ? ofEarlier : booted;
  return ({ images }) => forms.map((form) => images[form] ?? "").join(" or ");
}

const simple = ({ name, roles }: RenderedNode, action: Action, reasons: readonly string[] = []): NodeChange => ({
  node: name,
  roles,
  action,
  reasons,
  files: [],
});

function changeOf(
  old: RenderedNode | undefined,
  node: RenderedNode,
  driver: DriverName | "auto",
  imageOf: ImageOf,
): readonly NodeChange[] {
  if (!old) return [simple(node, "create")];
  const replacing = replacingDifferences(old, node, imageOf);
  if (replacing.length > 0) return [simple(node, "replace", replacing)];
  const sizes = (["cpus", "memoryMiB", "diskGiB"] as const).flatMap((key) => differing(key, old[key], node[key]));
  const fixed = fixedDifferences(old, node);
  const reasons = [...sizes, ...fixed, ...liveDifferences(old, node, driver)];
  const files = changedFiles(old, node);
  const staysUp = driver !== "auto" && drivers[driver].resizesLive;
  if (fixed.length > 0) return [{ ...simple(node, "restart", reasons), files }];
  if (sizes.length > 0 && !staysUp) return [{ ...simple(node, "restart", [...reasons, ...unlessLive(driver)]), files }];
  if (reasons.length + files.length > 0) return [{ ...simple(node, "update", reasons), files }];
  return old.firstBoot === node.firstBoot ? [] : [simple(node, "later", ["first-boot seed"])];
}

/** The inputs of a machine that make it another machine. */
function replacingDifferences(old: RenderedNode, node: RenderedNode, imageOf: ImageOf): readonly string[] {
  const cardsOf = ({ interfaces }: RenderedNode): string =>
    interfaces.map(({ name, segment, mac }) => `${name} in ${segment} ${mac}`).join(", ");
  return [
    ...differing("image", imageOf(old), imageOf(node)),
    ...differing("uuid", old.uuid, node.uuid),
    ...(cardsOf(old) === cardsOf(node)
      ? []
      : differing("network cards", macsOf(old).join(" "), macsOf(node).join(" "))),
  ];
}

/** The inputs of a machine that every driver can change only while it is stopped. */
function fixedDifferences(old: RenderedNode, node: RenderedNode): readonly string[] {
  const disksOf = ({ dataDisks }: RenderedNode): string =>
    dataDisks.map(({ name, mountPoint }) => `${name} at ${mountPoint}`).join(", ") || "none";
  return [
    ...differing("data disks", disksOf(old), disksOf(node)),
    ...(old.uplink && node.uplink ? differing("uplink", old.uplink.mac, node.uplink.mac) : []),
  ];
}

/** The inputs of a machine that change while it runs. */
function liveDifferences(old: RenderedNode, node: RenderedNode, driver: DriverName | "auto"): readonly string[] {
  const sizes = node.dataDisks.flatMap(({ name, sizeGiB }) => {
    const before = old.dataDisks.find((disk) => disk.name === name);
    return before ? differing(`size of ${name} in GiB`, before.sizeGiB, sizeGiB) : [];
  });
  const hasVolumes = driver === "auto" || drivers[driver].imageForm === "disk";
  // A share of the disk changes with the disk, which is a difference of its own.
  const volumesOf = ({ volumes }: RenderedNode): string =>
    volumes.flatMap(({ mountPoint, sizeMiB, named }) => (named ? [`${mountPoint} ${sizeMiB} MiB`] : [])).join(", ");
  const forwardsOf = ({ uplink }: RenderedNode): string =>
    (uplink?.forwards ?? []).map(({ hostPort, guestPort }) => `${hostPort} to ${guestPort}`).join(", ");
  return [
    ...sizes,
    ...(hasVolumes ? differing("volumes", volumesOf(old) || "none", volumesOf(node) || "none") : []),
    ...(old.uplink && node.uplink ? differing("host ports", forwardsOf(old), forwardsOf(node)) : []),
  ];
}

const unlessLive = (driver: DriverName | "auto"): readonly string[] =>
  driver === "auto" ? ["a virtual machine restarts, a system container does not"] : [];

const differing = (what: string, before: string | number, after: string | number): readonly string[] =>
  before === after ? [] : [`${what}: ${before} -> ${after}`];

const macsOf = ({ interfaces }: RenderedNode): readonly string[] => interfaces.map(({ mac }) => mac);

function changedFiles(old: RenderedNode, node: RenderedNode): readonly FileChange[] {
  const before = new Map(old.files.map((file) => [file.path, file]));
  // A file that is no longer rendered stays on the node unchanged.
  return node.files
    .filter(({ path, content }) => before.get(path)?.content !== content)
    .map(({ path, content, reload }) => ({ path, before: before.get(path)?.content, after: content, reload }));
}

function refusedByGuard(
  before: StackRendering | undefined,
  after: StackRendering,
  imageOf: ImageOf,
): readonly string[] {
  if (!before) return [];
  const former = before.nodes.filter(({ roles }) => poolOf(roles) !== undefined);
  const present = former.map((node): [string, PresentMember] => [
    node.name,
    { ...memberOf(node, imageOf), running: true },
  ]);
  const old = guarded(before, imageOf);
  const members = { ...guarded(after, imageOf), replicas: Math.max(old.replicas, guarded(after, imageOf).replicas) };
  return refusedLosses(former, new Map(present), members, old.volume).map(
    ({ property, problem, instead }) => `${property}: ${problem}; ${instead}`,
  );
}

const memberOf = (node: RenderedNode, imageOf: ImageOf) => {
  const { name, roles, uuid } = node;
  return { name, roles, uuid, image: imageOf(node), macs: macsOf(node) };
};

function guarded({ nodes, volume }: StackRendering, imageOf: ImageOf): GuardedMembers {
  const members = (pool: Pool) =>
    nodes.filter((node) => node.roles.includes(guardedRole[pool])).map((node) => memberOf(node, imageOf));
  const storage = members("storage");
  return {
    masters: members("masters"),
    balancers: members("balancers"),
    storage,
    replicas: keepersOfData(storage.length),
    ...(volume === undefined ? {} : { volume }),
  };
}

const refusedDisks = (old: ReadonlyMap<string, RenderedNode>, after: StackRendering): readonly string[] =>
  after.nodes.flatMap(({ name, diskGiB }) => {
    const before = old.get(name)?.diskGiB ?? 0;
    if (diskGiB >= before) return [];
    return [`${name}: a system disk cannot shrink (diskGiB ${before} -> ${diskGiB}); keep at least ${before}`];
  });
