import { DiffResponse, PropertyDiff } from "@pulumi/pulumi/proto/provider_pb";
import { type DifferenceKind, differences } from "./property-diff";
import { type Properties, topLevelKey } from "./property-values";
import type { ResourceHandler } from "./resource-handler";

const { Kind } = PropertyDiff;
const IN_PLACE: Record<DifferenceKind, PropertyDiff.Kind> = { add: Kind.ADD, delete: Kind.DELETE, update: Kind.UPDATE };
const REPLACING: Record<DifferenceKind, PropertyDiff.Kind> = {
  add: Kind.ADD_REPLACE,
  delete: Kind.DELETE_REPLACE,
  update: Kind.UPDATE_REPLACE,
};

/** The difference between the wanted inputs and the last known (or read) ones, and the resulting operation. */
export async function diffResponse(
  handler: ResourceHandler,
  oldInputs: Properties,
  news: Properties,
  ignoredChanges: readonly string[],
): Promise<DiffResponse> {
  const response = new DiffResponse();
  const changed = new Set<string>();
  const replacing = new Set<string>();
  for (const [path, kind] of differences(oldInputs, news)) {
    const key = topLevelKey(path);
    if (handler.schema?.createOnly?.includes(key)) continue;
    if (ignoredChanges.includes(path) || ignoredChanges.includes(key)) continue;
    const replaces = handler.replaceOn.includes(key) || handler.replaceOn.includes(path);
    const detail = new PropertyDiff();
    detail.setKind((replaces ? REPLACING : IN_PLACE)[kind]);
    detail.setInputdiff(true);
    response.getDetaileddiffMap().set(path, detail);
    changed.add(key);
    if (replaces) replacing.add(key);
  }
  response.setHasdetaileddiff(true);
  const differs = changed.size > 0 || (await handler.isOutdated?.(news));
  response.setChanges(differs ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE);
  response.setDiffsList([...changed]);
  response.setReplacesList([...replacing]);
  response.setDeletebeforereplace(handler.deleteBeforeReplace && replacing.size > 0);
  return response;
}
