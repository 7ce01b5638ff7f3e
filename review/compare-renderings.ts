import { changedSettings } from "../model/changed-settings";
import { containerRuntimeNames, defaultContainerRuntime } from "../model/container-runtimes";
import { drivers, type ImageForm } from "../model/drivers";
import type { CountOf } from "../model/image-rolls";
import { type PackageChange, packageChanges } from "../model/package-lock";
import { refusedLosses } from "../model/plan-losses";
import { type GuardedMembers, guardedPools, type PresentMember, poolOf } from "../model/pool-change";
import type { Settings } from "../model/resource-types";
import type { Role } from "../model/roles";
import { keptReleases, refusedChange } from "../model/upgrades";
import { keepersOfData } from "../stacks/plan/plan-volume";
import { type ComparedBy, compareMachines } from "./compare-machines";
import { rollsBetween } from "./image-rolls";
import { objectChanges } from "./object-changes";
import type { RenderedNode, StackRendering } from "./render-stack";
import type { Action, FileChange, NodeChange, SettingReview } from "./review";
import { reviewSettings } from "./review-settings";

export interface Comparison {
  readonly changes: readonly NodeChange[];
  readonly settings: readonly SettingReview[];
  readonly refused: readonly string[];
  readonly unchangedNodes: number;
  /** Of the package locks. Without one, packages are those of the mirror at the time of the build, which no revision knows. */
  readonly packages: readonly PackageChange[];
}

/** The changes from `before` to `after`, on the assumption that all machines are healthy. */
export function compareRenderings(before: StackRendering | undefined, after: StackRendering): Comparison {
  const old = new Map((before?.nodes ?? []).map((node) => [node.name, node]));
  const wanted = new Map(after.nodes.map((node) => [node.name, node]));
  const imageOf = comparedImage(before, after);
  const { driver } = after;
  const countOf = (role: Role): number => after.nodes.filter(({ roles }) => roles.includes(role)).length;
  const factsOf = rollsBetween(before, after);
  const changes = after.nodes.flatMap((node) => {
    return changeOf(old.get(node.name), node, { driver, imageOf, countOf }).map((change): NodeChange => {
      return change.action === "roll" ? { ...change, ...factsOf(node) } : change;
    });
  });
  const objects = before?.objects && after.objects ? objectChanges(before.objects, after.objects) : [];
  const now = after.settings ?? {};
  // Only a revision that cannot be read by this one has none.
  const former = before?.settings ?? now;
  const removed = [...old.values()].filter(({ name }) => !wanted.has(name)).map((node) => simple(node, "remove"));
  // What the last `up` recorded decides.
  const areDeleted = former["options.keepDataDisks"] === "false";
  const withDisks = (change: NodeChange): NodeChange => {
    const kept = new Set((wanted.get(change.node)?.dataDisks ?? []).map(({ name }) => name));
    const gone = (old.get(change.node)?.dataDisks ?? []).map(({ name }) => name).filter((name) => !kept.has(name));
    return areDeleted && gone.length > 0 ? { ...change, deletedDisks: gone } : change;
  };
  return {
    changes: [...[...changes, ...removed].map(withDisks), ...objects],
    settings: reviewSettings(changedSettings(former, now), driver),
    refused: [
      ...refusedChange(former, now, keptBy(now, after, countOf)),
      ...refusedByGuard(before, after),
      ...refusedDisks(old, after),
    ],
    unchangedNodes: after.nodes.length - changes.length,
    packages: before?.packages && after.packages ? packageChanges(before.packages, after.packages) : [],
  };
}

function keptBy(settings: Settings, { nodes, driver }: StackRendering, countOf: CountOf) {
  const runtime = containerRuntimeNames.find((name) => name === settings["options.runtime"]) ?? defaultContainerRuntime;
  return keptReleases(nodes, countOf, driver, runtime);
}

const macsOf = ({ interfaces }: RenderedNode): readonly string[] => interfaces.map(({ mac }) => mac);

/** The image that the driver boots, in the form that both renderings have. */
function comparedImage(before: StackRendering | undefined, after: StackRendering): ComparedBy["imageOf"] {
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

function changeOf(old: RenderedNode | undefined, node: RenderedNode, by: ComparedBy): readonly NodeChange[] {
  if (!old) return [simple(node, "create")];
  const { effect, reasons, pending } = compareMachines(old, node, by);
  if (effect === "replace") return [simple(node, "replace", reasons)];
  const files = changedFiles(old, node);
  const isSame = effect === "none" || effect === "later";
  if (isSame && files.length > 0) return [{ ...simple(node, "update", pending), files }];
  if (effect === "none") return [];
  return [{ ...simple(node, effect, effect === "later" ? reasons : [...reasons, ...pending]), files }];
}

function changedFiles(old: RenderedNode, node: RenderedNode): readonly FileChange[] {
  const before = new Map(old.files.map((file) => [file.path, file]));
  // A file that is no longer rendered stays on the node unchanged.
  return node.files
    .filter(({ path, content }) => before.get(path)?.content !== content)
    .map(({ path, content, reload }) => ({ path, before: before.get(path)?.content, after: content, reload }));
}

function refusedByGuard(before: StackRendering | undefined, after: StackRendering): readonly string[] {
  if (!before) return [];
  const former = before.nodes.filter(({ roles }) => poolOf(roles) !== undefined);
  const present = former.map((node): [string, PresentMember] => [node.name, { ...memberOf(node), running: true }]);
  const [old, now] = [guarded(before), guarded(after)];
  const members = { ...now, replicas: Math.max(old.replicas, now.replicas) };
  return refusedLosses(former, new Map(present), members, old.volume).map(
    ({ property, problem, instead }) => `${property}: ${problem}; ${instead}`,
  );
}

const memberOf = (node: RenderedNode) => {
  const { name, roles, uuid } = node;
  return { name, roles, uuid, macs: macsOf(node) };
};

function guarded({ nodes, volume }: StackRendering): GuardedMembers {
  const members = guardedPools(nodes, memberOf);
  return {
    ...members,
    replicas: keepersOfData(members.storage.length),
    ...(volume === undefined ? {} : { volume }),
  };
}

/** Nothing that holds data shrinks, see disk-growth.ts and disk.ts of the provider. */
const refusedDisks = (old: ReadonlyMap<string, RenderedNode>, after: StackRendering): readonly string[] =>
  after.nodes.flatMap((node) => {
    const before = old.get(node.name);
    if (before === undefined) return [];
    const hasVolumes = after.driver === "auto" || drivers[after.driver].imageForm === "disk";
    const sizes = [
      { what: `${node.name}: a system disk`, key: "diskGiB", from: before.diskGiB, to: node.diskGiB },
      ...node.dataDisks.map(({ name, sizeGiB: to }) => {
        const from = before.dataDisks.find((disk) => disk.name === name)?.sizeGiB ?? 0;
        return { what: `${name}: a data disk`, key: "sizeGiB", from, to };
      }),
      ...node.volumes
        .filter(({ named }) => named && hasVolumes)
        .map(({ mountPoint: key, sizeMiB }) => {
          const from = before.volumes.find(({ mountPoint }) => mountPoint === key)?.sizeMiB ?? 0;
          return { what: `${node.name}: a volume`, key, from: Math.ceil(from / 1024), to: sizeMiB / 1024 };
        }),
    ];
    return sizes
      .filter(({ from, to }) => to < from)
      .map(({ what, key, from, to }) => `${what} cannot shrink (${key} ${from} -> ${to}); keep at least ${from}`);
  });
