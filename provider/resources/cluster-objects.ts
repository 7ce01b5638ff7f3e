import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterApi, clusterApi, UnreachableApiError } from "../../guests/cluster-api";
import {
  applyObjects,
  deleteObjects,
  describeProblem,
  type LiveObjects,
  objectProblems,
  type Patience,
  readObjects,
} from "../../guests/cluster-objects";
import { type ClusterObject, clusterKinds, clusterObjectName, isClusterKind } from "../../model/cluster-object";
import type { ClusterObjectsInputs, ClusterObjectsOutputs } from "../../model/cluster-objects-types";
import { observedObject } from "../../model/observe-object";
import { UserError } from "../../model/user-error";
import type { Properties } from "../rpc/property-values";
import { type CheckFailure, type Context, PartialFailure } from "../rpc/resource-handler";
import { deadlineMs, progress } from "./guest-waiting";
import { readSignal } from "./read-signal";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const POLL_MS = 250;

type Objects = ClusterObjectsInputs["objects"];

/** The data centre's own objects in the cluster, kept equal to the rendered ones. */
export function clusterObjectsResource(): TypedResource<ClusterObjectsInputs, ClusterObjectsOutputs> {
  return {
    schema: {
      description: "The data centre's own objects in the cluster.",
      inputs: {
        stack: schemas.stack,
        clusterId: schemas.text("The cluster; one that is bootstrapped again gets its objects again."),
        connection: schemas.apiConnection,
        objects: { type: "map", values: { type: "any" }, description: "Kubernetes objects by kind and name." },
        initial: { type: "map", values: { type: "any" }, description: "What a cluster gets that lacks it." },
        begun: schemas.flag("true; set by the provider, so that a missing initial object differs."),
      },
      optional: ["initial", "begun"],
      createOnly: ["initial"],
    },
    replaceOn: ["stack"],
    ownInputs: { begun: true },
    refreshBeforeUpdate: true,

    async check({ objects, initial = {} }) {
      return [...refusedKinds("objects", objects), ...refusedKinds("initial", initial)];
    },

    async create(inputs, preview, context) {
      if (!preview) await keepObjects(inputs, {}, context);
      return { id: `${inputs.stack}/${context.name}`, outputs: outputsOf(inputs) };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      const { inputs } = olds;
      const live = await readCluster(id, inputs, context);
      const problems = objectProblems(Object.values(inputs.objects), live);
      for (const problem of problems) context.log("warning", `${describeProblem(problem)}; \`pulumi up\` restores it`);
      const begun = Object.keys(inputs.initial ?? {}).every((name) => live[name] !== undefined);
      const observed = { ...inputs, objects: observedObjects(inputs.objects, live), begun };
      return { inputs: observed, outputs: { ...outputsOf(observed), begun } };
    },

    async update(_id, inputs, { inputs: before }, preview, context) {
      const isOther = before.clusterId !== inputs.clusterId;
      if (!preview) await keepObjects(inputs, isOther ? {} : before.objects, context);
      return outputsOf(inputs);
    },

    async delete() {
      // The objects are removed with the cluster.
    },
  };
}

const outputsOf = ({ initial: _initial, ...inputs }: ClusterObjectsInputs): ClusterObjectsOutputs => ({
  ...inputs,
  begun: true,
});

/** Everything is applied each time: what is as rendered stays as it is, and its pods keep running. */
async function keepObjects(inputs: ClusterObjectsInputs, before: Objects, context: Context): Promise<void> {
  const { initial = {} } = inputs;
  const api = clusterApi(inputs.connection);
  const onWaiting = progress(context, "cluster");
  const patience: Patience = { signal: context.signal, deadlineMs: deadlineMs(context), onWaiting };
  const isFirst = Object.keys(before).length === 0;
  try {
    await Promise.all([
      applyObjects(api, Object.values(inputs.objects), isFirst, patience),
      missing(api, initial, patience).then((objects) => applyObjects(api, objects, false, patience)),
    ]);
    // An earlier version kept the initial objects here.
    const kept = { ...initial, ...inputs.objects };
    const dropped = Object.entries(before).filter(([name]) => !Object.hasOwn(kept, name));
    for (const [name] of dropped) context.log("info", `deleting ${name}: the data centre no longer has it`);
    await deleteObjects(
      api,
      dropped.map(([, object]) => object),
      patience,
    );
  } finally {
    api.close();
  }
}

/** Those that are there may be of another release, whose images the nodes have. */
async function missing(api: ClusterApi, initial: Objects, patience: Patience): Promise<readonly ClusterObject[]> {
  const objects = Object.values(initial);
  if (objects.length === 0) return [];
  const live = await presentObjects(api, objects, patience);
  return objects.filter((object) => live[clusterObjectName(object)] === undefined);
}

/** As soon as the API responds. */
async function presentObjects(
  api: ClusterApi,
  objects: readonly ClusterObject[],
  { signal, deadlineMs, onWaiting }: Patience,
): Promise<LiveObjects> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await readObjects(api, objects, signal);
    } catch (error) {
      if (!(error instanceof UnreachableApiError) || Date.now() >= end) throw error;
      onWaiting(`cannot read the cluster's objects yet: ${error.message}`);
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}

function refusedKinds(input: string, objects: Objects): readonly CheckFailure[] {
  if (typeof objects !== "object") return [];
  return Object.entries(objects).flatMap(([name, object]) => {
    // A preview may not know the object yet.
    if (typeof object !== "object" || isClusterKind(object.kind)) return [];
    const { kind } = object as { readonly kind: unknown };
    const reason = `${kind} is not a kind of cluster objects; those are ${Object.keys(clusterKinds).join(", ")}`;
    return [{ property: `${input}[${JSON.stringify(name)}]`, reason }];
  });
}

function observedObjects(objects: Objects, live: LiveObjects): Objects {
  const observed = Object.entries(objects).flatMap(([name, rendered]): [string, ClusterObject][] => {
    const present = live[name];
    return present ? [[name, observedObject(rendered, present)]] : [];
  });
  return Object.fromEntries(observed);
}

/** When the API does not respond, the last known state stays, marked as not verified, so that the next `up` reads again. */
async function readCluster(id: string, inputs: ClusterObjectsInputs, context: Context): Promise<LiveObjects> {
  const api = clusterApi(inputs.connection);
  const signal = readSignal(inputs.connection, context);
  try {
    return await readObjects(api, Object.values({ ...inputs.initial, ...inputs.objects }), signal);
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof UnreachableApiError ? error.message : "timed out";
    const [state, outputs] = [inputs, outputsOf(inputs)] as unknown as [Properties, Properties];
    throw new PartialFailure(`the cluster's API does not respond: ${reason}`, { id, inputs: state, outputs });
  } finally {
    api.close();
  }
}
