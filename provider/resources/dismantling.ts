import { clearDismantling, markDismantling } from "../../host/dismantling-mark";
import { endRestore, isRestoring } from "../../host/restore-mark";
import type { DismantlingInputs, DismantlingOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Properties } from "../rpc/property-values";
import { PartialFailure } from "../rpc/resource-handler";
import { completeGuardRecord } from "./guard-record";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/**
 * Depends on everything, so `destroy` deletes it first: from then on nothing drains or guards. `up` creates it last, so the
 * stack is complete when it exists. The next `up` removes the mark of an interrupted `destroy`: the guard at the start, this
 * resource at the end. For the same reason it ends a restore: the memberships of all former machines have ended before it.
 */
export function dismantlingResource(): TypedResource<DismantlingInputs, DismantlingOutputs> {
  return {
    schema: {
      description: "Tells the other resources that the whole stack is being destroyed.",
      inputs: { stack: schemas.stack },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: true,

    async create(inputs, preview) {
      if (!preview) {
        await clearDismantling(inputs.stack);
        await completeGuardRecord(inputs.stack);
        await endRestore(inputs.stack);
      }
      return { id: `${inputs.stack}/dismantling`, outputs: inputs };
    },

    async read(id, olds) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      if (!isRestoring(olds.inputs.stack)) return olds;
      const state = olds as unknown as { inputs: Properties; outputs: Properties };
      throw new PartialFailure("a restore has not ended; `up` ends it", { id, ...state });
    },

    async update(_id, inputs, _olds, preview) {
      if (!preview) await endRestore(inputs.stack);
      return inputs;
    },

    async delete(_id, { inputs }) {
      await markDismantling(inputs.stack);
    },
  };
}
