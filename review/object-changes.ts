import { stringify } from "yaml";
import { clusterObjectsEntry, type NodeChange } from "./review";

/** The data centre's own objects in the cluster, as texts by name. */
export type ObjectTexts = Readonly<Record<string, string>>;

/** With sorted fields: the order in Pulumi's state has no meaning. */
export function textsOf(objects: Readonly<Record<string, unknown>>): ObjectTexts {
  const style = { lineWidth: 0, sortMapEntries: true };
  return Object.fromEntries(Object.entries(objects).map(([name, object]) => [name, stringify(object, style)]));
}

/** One entry for all objects that differ, beside those of the nodes. */
export function objectChanges(before: ObjectTexts, after: ObjectTexts): readonly NodeChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const files = names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ path: name, before: before[name], after: after[name], reload: "" }));
  return files.length === 0
    ? []
    : [{ node: clusterObjectsEntry, roles: [], action: "update", reasons: files.map(({ path }) => path), files }];
}
