import type { DriverByName } from "../drivers/driver-by-name";
import { clearDismantling } from "../host/dismantling-mark";
import { forgetDriver, rememberDriver } from "../host/stack-driver";
import type { SegmentInputs, SegmentOutputs } from "../resource-types";
import { objectId, parseObjectId } from "./object-id";
import { presentOwner } from "./present-owner";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** One layer-2 network of a stack. */
export function segmentResource(driverByName: DriverByName): TypedResource<SegmentInputs, SegmentOutputs> {
  return {
    schema: {
      description: "One layer-2 network of a stack.",
      inputs: { driver: schemas.driver, stack: schemas.stack, name: schemas.text("e.g. dmz") },
    },
    replaceOn: ["driver", "stack", "name"],
    refreshBeforeUpdate: true,

    async create(inputs, preview, { urn }) {
      const { driver, stack, name } = inputs;
      const id = objectId(inputs);
      if (preview) return { id, outputs: inputs };
      // A segment is the first thing a stack has: whoever makes one is not taking the stack down.
      await clearDismantling(stack);
      await rememberDriver(stack, name, driver);
      await driverByName(driver).ensureSegment({ stack, name }, { stack, urn });
      return { id, outputs: inputs };
    },

    async read(id) {
      const { driver, stack, name } = parseObjectId(id);
      const found = await driverByName(driver).inspectSegment({ stack, name });
      return found && { inputs: { driver, stack, name }, outputs: { driver, stack, name } };
    },

    async update(_id, inputs) {
      return inputs;
    },

    async delete(id, _olds, { urn }) {
      const { driver, stack, name } = parseObjectId(id);
      const hypervisor = driverByName(driver);
      const found = await hypervisor.inspectSegment({ stack, name });
      await hypervisor.removeSegment({ stack, name }, presentOwner(found, stack, urn));
      await forgetDriver(stack, name);
    },
  };
}
