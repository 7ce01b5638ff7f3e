import { clearDismantling, markDismantling } from "../../host/dismantling-mark";
import type { DismantlingInputs, DismantlingOutputs } from "../../model/resource-types";
import { completeGuardRecord } from "./guard-record";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/**
 * Depends on everything, so it is the first to go in a destroy: from then on nothing drains or guards. It comes last, so
 * the stack is whole when it stands. The mark of a destroy that was interrupted goes with the next `up`, at its beginning
 * by the guard and at its end by this.
 */
export function dismantlingResource(): TypedResource<DismantlingInputs, DismantlingOutputs> {
  return {
    schema: { description: "Tells the rest of a stack that all of it is going.", inputs: { stack: schemas.stack } },
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
