import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterObject, clusterObjectName, clusterObjectPath, waveOf } from "../model/cluster-object";
import { formerFieldManagers } from "../model/former-names";
import { changedFields, foreignEntries } from "../model/observe-object";
import { UserError } from "../model/user-error";
import { type ApiResponse, type ClusterApi, UnreachableApiError } from "./cluster-api";

/** The owner of the data centre's fields in the cluster, see server-side apply in Kubernetes' documentation. */
const FIELD_MANAGER = "groundplane";

type LiveObject = ApiResponse["body"];

/** What the cluster has of these objects, by name. An object that is being deleted is absent. */
export type LiveObjects = Readonly<Record<string, LiveObject | undefined>>;

/** @throws UnreachableApiError, or Error when the API refuses */
export async function readObjects(
  api: ClusterApi,
  objects: readonly ClusterObject[],
  signal: AbortSignal,
): Promise<LiveObjects> {
  const found = await Promise.all(
    objects.map(async (object) => {
      const { status, body } = await api.request("GET", clusterObjectPath(object), { signal });
      const name = clusterObjectName(object);
      if (status === 200) return [name, isBeingDeleted(body) ? undefined : body] as const;
      if (status === 404) return [name, undefined] as const;
      throw new UnreachableApiError(reasonOf({ status, body }));
    }),
  );
  return Object.fromEntries(found);
}

export interface ObjectProblem {
  /** e.g. `DaemonSet kube-system/kube-proxy` */
  readonly object: string;
  /** Paths of the changed fields; empty when the object is missing. */
  readonly changed: readonly string[];
}

/** The objects that are missing or not as rendered. Changes nothing. */
export function objectProblems(objects: readonly ClusterObject[], live: LiveObjects): readonly ObjectProblem[] {
  return objects.flatMap((rendered) => {
    const object = clusterObjectName(rendered);
    const present = live[object];
    const changed = present ? changedFields(rendered, present) : [];
    return present && changed.length === 0 ? [] : [{ object, changed }];
  });
}

export const describeProblem = (problem: ObjectProblem): string => `${problem.object} ${describeChange(problem)}`;

export const describeChange = ({ changed }: ObjectProblem): string =>
  changed.length === 0 ? "is missing" : `was changed: ${changed.join(", ")}`;

/** How an operation waits for an API that restarts or is not reachable yet. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** Called with the reason of each delay. */
  readonly onWaiting: (reason: string) => void;
}

/**
 * Makes the cluster's objects equal to the rendered ones; fields of other managers stay.
 *
 * @param takeOver removes the former managers, so that a field that a later release no longer renders is removed
 */
export async function applyObjects(
  api: ClusterApi,
  objects: readonly ClusterObject[],
  takeOver: boolean,
  patience: Patience,
): Promise<void> {
  await inWaves(objects, [0, 1, 2], async (object) => {
    const live = await applyObject(api, object, patience);
    const removals = foreignEntries(object, live);
    if (removals) await patchObject(api, object, removals, "application/merge-patch+json", patience);
    if (takeOver) await dropFormerManagers(api, object, live, patience);
  });
}

/** Deletes objects and what depends on them. An object that is gone already is fine. */
export async function deleteObjects(
  api: ClusterApi,
  objects: readonly ClusterObject[],
  patience: Patience,
): Promise<void> {
  await inWaves(objects, [2, 1, 0], async (object) => {
    const ask = () => deleteObject(api, object, patience);
    await untilDone(ask, isGone, `delete ${clusterObjectName(object)}`, patience);
  });
}

function deleteObject(api: ClusterApi, object: ClusterObject, { signal }: Patience): Promise<ApiResponse> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" };
  return api.request("DELETE", clusterObjectPath(object), { body, signal });
}

const isGone = ({ status }: ApiResponse): boolean => status < 300 || status === 404;
const isPresent = ({ status, body }: ApiResponse): boolean => status < 300 && !isBeingDeleted(body);

async function inWaves(
  objects: readonly ClusterObject[],
  waves: readonly number[],
  act: (object: ClusterObject) => Promise<void>,
): Promise<void> {
  for (const wave of waves) await Promise.all(objects.filter((object) => waveOf(object) === wave).map(act));
}

async function applyObject(api: ClusterApi, object: ClusterObject, patience: Patience): Promise<LiveObject> {
  const path = `${clusterObjectPath(object)}?fieldManager=${FIELD_MANAGER}&force=true`;
  const apply = async (): Promise<ApiResponse> => {
    const { signal } = patience;
    const contentType = "application/apply-patch+yaml"; // JSON is YAML
    const answer = await api.request("PATCH", path, { body: object, contentType, signal });
    // Another object took its name, e.g. a binding to another role: only a new object can be as rendered.
    if (isImmutable(answer)) await deleteObject(api, object, patience);
    return answer;
  };
  return (await untilDone(apply, isPresent, `apply ${clusterObjectName(object)}`, patience)).body;
}

async function dropFormerManagers(api: ClusterApi, object: ClusterObject, live: LiveObject, patience: Patience) {
  const managers = (live.metadata as { managedFields?: readonly { readonly manager: string }[] }).managedFields ?? [];
  const present = managers.filter(({ manager }) => !formerFieldManagers.includes(manager));
  if (present.length === managers.length) return;
  const replacement = [{ op: "replace", path: "/metadata/managedFields", value: present }];
  await patchObject(api, object, replacement, "application/json-patch+json", patience);
}

async function patchObject(
  api: ClusterApi,
  object: ClusterObject,
  body: object,
  contentType: string,
  patience: Patience,
): Promise<void> {
  const path = `${clusterObjectPath(object)}?fieldManager=${FIELD_MANAGER}`;
  const patch = () => api.request("PATCH", path, { body, contentType, signal: patience.signal });
  await untilDone(patch, isPresent, `change ${clusterObjectName(object)}`, patience);
}

const POLL_MS = 250;

async function untilDone(
  ask: () => Promise<ApiResponse>,
  isDone: (answer: ApiResponse) => boolean,
  what: string,
  { signal, deadlineMs, onWaiting }: Patience,
): Promise<ApiResponse> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask().catch(unreachable);
    if (isDone(answer)) return answer;
    const reason = answer.status < 300 ? "it is being deleted" : reasonOf(answer);
    if (!isTemporary(answer) || Date.now() >= end) throw refused(what, reason);
    onWaiting(`cannot ${what} yet: ${reason}`);
    await sleep(POLL_MS, undefined, { signal });
  }
}

function unreachable(error: unknown): ApiResponse {
  if (error instanceof UnreachableApiError) return { status: 503, body: { message: error.message } };
  throw error;
}

const isBeingDeleted = ({ metadata }: LiveObject): boolean =>
  (metadata as { deletionTimestamp?: string } | undefined)?.deletionTimestamp !== undefined;

const isImmutable = ({ status, body }: ApiResponse): boolean =>
  (status === 422 || status === 403) &&
  /immutable|cannot change|may not change|updates to .* forbidden/i.test(String(body.message));

/** The API server restarts, is overloaded, or the object's namespace is still being deleted. */
function isTemporary(answer: ApiResponse): boolean {
  const { status, body } = answer;
  // 401: API servers do not accept a rotated certificate yet, after a snapshot from before the rotation was restored.
  if (status < 300 || status >= 500 || [401, 404, 409, 429].includes(status)) return true;
  return isImmutable(answer) || (status === 403 && /being terminated|not yet ready/i.test(String(body.message)));
}

const reasonOf = ({ status, body: { message } }: ApiResponse): string =>
  String(message ?? "").trim() || `the API responded with status ${status}`;

const refused = (what: string, reason: string): UserError =>
  new UserError(
    "cluster-object",
    `cannot ${what}: ${reason}`,
    "see `npx groundplane status`; run `up` again when the API is healthy",
  );
