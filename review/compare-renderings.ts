import { type DriverName, drivers } from "../model/drivers";
import { refusedLosses } from "../model/plan-losses";
import { type GuardedMembers, type PresentMember, poolOf } from "../model/pool-change";
import type { Role } from "../model/roles";
import { keepersOfData } from "../stacks/plan/plan-volume";
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
  const changes = after.nodes.flatMap((node) => changeOf(old.get(node.name), node, after.driver));
  const removed = [...old.values()].filter(({ name }) => !wanted.has(name));
  return {
    changes: [...changes, ...removed.map((node) => simple(node, "remove"))],
    refused: [...refusedByGuard(before, after), ...refusedDisks(old, after)],
    unchangedNodes: after.nodes.length - changes.length,
  };
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
): readonly NodeChange[] {
  if (!old) return [simple(node, "create")];
  const replacing = [
    ...differing("image", old.image, node.image),
    ...differing("uuid", old.uuid, node.uuid),
    ...differing("network cards", macsOf(old).join(" "), macsOf(node).join(" ")),
  ];
  if (replacing.length > 0) return [simple(node, "replace", replacing)];
  const reasons = [
    ...differing("cpus", old.cpus, node.cpus),
    ...differing("memoryMiB", old.memoryMiB, node.memoryMiB),
    ...differing("diskGiB", old.diskGiB, node.diskGiB),
  ];
  const files = changedFiles(old, node);
  const stops = reasons.length > 0 && (driver === "auto" || !drivers[driver].resizesLive);
  if (stops) return [{ ...simple(node, "restart", [...reasons, ...unlessLive(driver)]), files }];
  if (reasons.length + files.length > 0) return [{ ...simple(node, "update", reasons), files }];
  return old.firstBoot === node.firstBoot ? [] : [simple(node, "later", ["first-boot seed"])];
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

function refusedByGuard(before: StackRendering | undefined, after: StackRendering): readonly string[] {
  if (!before) return [];
  const former = before.nodes.filter(({ roles }) => poolOf(roles) !== undefined);
  const present = former.map((node): [string, PresentMember] => [node.name, { ...memberOf(node), running: true }]);
  const old = guarded(before);
  const members = { ...guarded(after), replicas: Math.max(old.replicas, guarded(after).replicas) };
  return refusedLosses(former, new Map(present), members, old.volume).map(
    ({ property, problem, instead }) => `${property}: ${problem}; ${instead}`,
  );
}

const memberOf = (node: RenderedNode) => {
  const { name, roles, uuid, image } = node;
  return { name, roles, uuid, image, macs: macsOf(node) };
};

function guarded({ nodes, volume }: StackRendering): GuardedMembers {
  const members = (role: Role) => nodes.filter((node) => node.roles.includes(role)).map(memberOf);
  const storage = members("storage");
  return {
    masters: members("etcd"),
    balancers: members("balancer"),
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
