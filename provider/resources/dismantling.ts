import { clearDismantling, markDismantling } from "../host/dismantling-mark";
import type { DismantlingInputs, DismantlingOutputs } from "../resource-types";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/**
 * Depends on everything, so it is the first to go in a destroy: from then on nothing drains or guards. Whoever plans
 * the stack again, even after a destroy that was interrupted, takes the mark away.
 */
export function dismantlingResource(): TypedResource<DismantlingInputs, DismantlingOutputs> {
  return {
    schema: { description: "Tells the rest of a stack that all of it is going.", inputs: { stack: schemas.stack } },
    replaceOn: ["stack"],
    refreshBeforeUpdate: true,

    async check({ stack }) {
      if (typeof stack === "string") await clearDismantling(stack);
      return [];
    },

    async create(inputs, preview) {
      if (!preview) await clearDismantling(inputs.stack);
      return { id: `${inputs.stack}/dismantling`, outputs: inputs };
    },

    async read(id, olds) {
      const inputs = olds?.inputs ?? { stack: id.split("/")[0] as string };
      await clearDismantling(inputs.stack);
      return { inputs, outputs: inputs };
    },

    async update(_id, inputs) {
      return inputs;
    },

    async delete(_id, { inputs }) {
      await markDismantling(inputs.stack);
    },
  };
}
