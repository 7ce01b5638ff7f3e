import { clearDismantling, markDismantling } from "../../host/dismantling-mark";
import type { DismantlingInputs, DismantlingOutputs } from "../../model/resource-types";
import { completeGuardRecord } from "./guard-record";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/**
 * Depends on everything, so `destroy` deletes it first: from then on nothing drains or guards. `up` creates it last, so the
 * stack is complete when it exists. The next `up` removes the mark of an interrupted `destroy`: the guard at the start, this
 * resource at the end.
 */
export function dismantlingResource(): TypedResource<DismantlingInputs, DismantlingOutputs> {
  return {
    schema: {
      description: "Tells the other resources that the whole stack is being destroyed.",
      inputs: { stack: schemas.stack },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: false,

    async create(inputs, preview) {
      if (!preview) {
        await clearDismantling(inputs.stack);
        await completeGuardRecord(inputs.stack);
      }
      return { id: `${inputs.stack}/dismantling`, outputs: inputs };
    },

    async update(_id, inputs) {
      return inputs;
    },

    async delete(_id, { inputs }) {
      await markDismantling(inputs.stack);
    },
  };
}
