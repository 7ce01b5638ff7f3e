import type { ClusterObject } from "./cluster-object";

/**
 * Compares rendered objects with those of a running cluster. Only rendered fields count: the API server adds defaults, and
 * controllers and users add fields of their own, all of which server-side apply keeps.
 */

type Fields = Readonly<Record<string, unknown>>;

/** The rendered fields with the values that the cluster has. A field or list entry that the cluster lacks is absent. */
export function observedObject(rendered: ClusterObject, live: Fields): ClusterObject {
  return observeFields(rendered, live, false) as unknown as ClusterObject;
}

/** Paths of the rendered fields whose values differ in the cluster, e.g. `spec.replicas`; empty when the object is as rendered. */
export const changedFields = (rendered: ClusterObject, live: Fields): readonly string[] =>
  differingPaths(rendered, observedObject(rendered, live), "");

/** What a JSON merge patch must remove: entries of others in the exact maps. */
export function foreignEntries(rendered: Fields, live: Fields): Fields | undefined {
  const found = Object.entries(rendered).flatMap(([key, value]) => {
    const present = live[key];
    if (!isFields(value) || !isFields(present)) return [];
    const foreign = Object.keys(present).filter((name) => !Object.hasOwn(value, name));
    const removed = foreign.length > 0 ? Object.fromEntries(foreign.map((name) => [name, null])) : undefined;
    const below = exactMaps.has(key) ? removed : foreignEntries(value, present);
    return below ? [[key, below] as const] : [];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** Maps in which an entry of another changes what ours mean: one more label, and a DaemonSet has no nodes. */
const exactMaps: ReadonlySet<string> = new Set(["nodeSelector"]);

function observeValue(key: string, rendered: unknown, live: unknown, isQuantity: boolean): unknown {
  if (live === undefined || live === null) return isOmitted(key, rendered) ? rendered : undefined;
  if (Array.isArray(rendered)) return Array.isArray(live) ? observeList(key, rendered, live) : live;
  if (!isFields(rendered)) return rendered === live || (isQuantity && isSameQuantity(rendered, live)) ? rendered : live;
  if (!isFields(live) || exactMaps.has(key)) return live;
  return observeFields(rendered, live, quantityMaps.has(key));
}

function observeFields(rendered: Fields, live: Fields, areQuantities: boolean): Fields {
  const fields = Object.entries(rendered).map(([key, value]) => {
    const isQuantity = areQuantities || quantityFields.has(key);
    return [key, observeValue(key, value, live[key], isQuantity)] as const;
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** The API server leaves out fields with these values. */
const isOmitted = (key: string, value: unknown): boolean =>
  [false, 0, ""].includes(value as string) ||
  (Array.isArray(value) && value.length === 0) ||
  (exactMaps.has(key) && isFields(value) && Object.keys(value).length === 0);

/**
 * Lists whose entries have an identity, by the name of their field: entries of others may lie between ours, in any order. All
 * other lists belong as a whole to the manager that set them.
 */
const entryKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  imagePullSecrets: ["name"],
  volumeMounts: ["mountPath"],
  ports: ["containerPort", "port", "protocol"],
};
/** An absent protocol is TCP. */
const entryDefaults: Fields = { protocol: "TCP" };

function observeList(key: string, rendered: readonly unknown[], live: readonly unknown[]): unknown {
  const keys = entryKeys[key];
  if (!keys || !rendered.every(isFields)) {
    if (rendered.length !== live.length) return live;
    return rendered.map((entry, index) => observeValue("", entry, live[index], false) ?? null);
  }
  const identity = (entry: unknown): string =>
    JSON.stringify(keys.map((name) => (isFields(entry) ? (entry[name] ?? entryDefaults[name]) : undefined)));
  const present = new Map(live.map((entry) => [identity(entry), entry]));
  return rendered
    .map((entry) => observeValue("", entry, present.get(identity(entry)), false))
    .filter((entry) => entry !== undefined);
}

/** Fields whose values are quantities: the API server writes `1000m` as `1`. */
const quantityMaps: ReadonlySet<string> = new Set(["limits", "requests", "capacity", "hard"]);
const quantityFields: ReadonlySet<string> = new Set(["sizeLimit"]);

const suffixes: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** e.g. `20Gi` and `21474836480`. Releases of Kubernetes write the same quantity in different forms. */
export function isSameQuantity(one: unknown, other: unknown): boolean {
  const [a, b] = [quantity(one), quantity(other)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12;
}

function quantity(value: unknown): number | undefined {
  const [, number, suffix = ""] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(value)) ?? [];
  const factor = Object.hasOwn(suffixes, suffix) ? suffixes[suffix] : undefined;
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

function differingPaths(rendered: unknown, seen: unknown, path: string): readonly string[] {
  if (isFields(rendered) && isFields(seen)) {
    const keys = [...new Set([...Object.keys(rendered), ...Object.keys(seen)])];
    return keys.flatMap((key) => differingPaths(rendered[key], seen[key], joined(path, key)));
  }
  if (Array.isArray(rendered) && Array.isArray(seen) && rendered.length === seen.length) {
    return rendered.flatMap((entry, index) => differingPaths(entry, seen[index], `${path}[${index}]`));
  }
  return JSON.stringify(rendered) === JSON.stringify(seen) ? [] : [path];
}

function joined(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === "object" && !Array.isArray(value);
