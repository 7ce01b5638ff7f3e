import { clusterApi, UnreachableApiError } from "../../guests/cluster-api";
import {
  applyObjects,
  deleteObjects,
  describeProblem,
  type LiveObjects,
  objectProblems,
  type Patience,
  readObjects,
} from "../../guests/cluster-objects";
import { type ClusterObject, clusterKinds, isClusterKind } from "../../model/cluster-object";
import { observedObject } from "../../model/observe-object";
import type { ClusterObjectsInputs, ClusterObjectsOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Properties } from "../rpc/property-values";
import { type Context, PartialFailure } from "../rpc/resource-handler";
import { deadlineMs, progress } from "./guest-waiting";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** An unreachable cluster must not delay a preview. */
const READ_TIMEOUT_MS = 10_000;

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
      },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: true,

    async check({ objects }) {
      if (typeof objects !== "object") return [];
      return Object.entries(objects).flatMap(([name, object]) => {
        // A preview may not know the object yet.
        if (typeof object !== "object" || isClusterKind(object.kind)) return [];
        const { kind } = object as { readonly kind: unknown };
        const reason = `${kind} is not a kind of cluster objects; those are ${Object.keys(clusterKinds).join(", ")}`;
        return [{ property: `objects[${JSON.stringify(name)}]`, reason }];
      });
    },

    async create(inputs, preview, context) {
      if (!preview) await keepObjects(inputs, {}, context);
      return { id: `${inputs.stack}/cluster-objects`, outputs: inputs };
    },

    async read(id, olds, context) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      const { inputs } = olds;
      const live = await readCluster(id, inputs, context);
      const problems = objectProblems(Object.values(inputs.objects), live);
      for (const problem of problems) context.log("warning", `${describeProblem(problem)}; \`pulumi up\` restores it`);
      const observed = { ...inputs, objects: observedObjects(inputs.objects, live) };
      return { inputs: observed, outputs: observed };
    },

    async update(_id, inputs, { inputs: before }, preview, context) {
      if (!preview) await keepObjects(inputs, before.objects, context);
      return inputs;
    },

    async delete() {
      // The objects are removed with the cluster.
    },
  };
}

/** Everything is applied each time: what is as rendered stays as it is, and its pods keep running. */
async function keepObjects(inputs: ClusterObjectsInputs, before: Objects, context: Context): Promise<void> {
  const api = clusterApi(inputs.connection);
  const onWaiting = progress(context, "cluster");
  const patience: Patience = { signal: context.signal, deadlineMs: deadlineMs(context), onWaiting };
  const isFirst = Object.keys(before).length === 0;
  try {
    await applyObjects(api, Object.values(inputs.objects), isFirst, patience);
    const dropped = Object.entries(before).filter(([name]) => !Object.hasOwn(inputs.objects, name));
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
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
  try {
    return await readObjects(api, Object.values(inputs.objects), signal);
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof UnreachableApiError ? error.message : "timed out";
    const state = inputs as unknown as Properties;
    throw new PartialFailure(`the cluster's API does not respond: ${reason}`, { id, inputs: state, outputs: state });
  } finally {
    api.close();
  }
}
