import { clearDismantling } from "../../host/dismantling-mark";
import { localHost } from "../../host/local-host";
import { forgetDriver, rememberDriver } from "../../hypervisors/choice/stack-driver";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { SegmentSpec } from "../../hypervisors/hypervisor";
import type { SegmentInputs, SegmentOutputs } from "../../model/resource-types";
import type { ObjectSchema } from "../rpc/package-schema";
import { objectId, parseObjectId } from "./object-id";
import { belongsToAnother, presentOwner } from "./present-owner";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const attachment: ObjectSchema = {
  type: "object",
  name: "SegmentAttachment",
  description: "The connection of a segment to the outside of the stack.",
  properties: {
    kind: schemas.text("`host` or `adapter`."),
    address: schemas.text("The host's address for `host`, e.g. 192.168.56.2/24."),
    adapter: schemas.text("Name of the host's adapter for `adapter`."),
  },
  optional: ["address", "adapter"],
};

function specOf({ stack, name, attachment }: SegmentInputs): SegmentSpec {
  return attachment ? { stack, name, attachment } : { stack, name };
}

/** One layer-2 network of a stack. */
export function segmentResource(driverByName: DriverByName): TypedResource<SegmentInputs, SegmentOutputs> {
  return {
    schema: {
      description: "One layer-2 network of a stack.",
      inputs: { driver: schemas.driver, stack: schemas.stack, name: schemas.text("e.g. dmz"), attachment },
      optional: ["attachment"],
    },
    replaceOn: ["driver", "stack", "name"],
    refreshBeforeUpdate: true,

    async check(inputs) {
      const problems = (await driverByName(inputs.driver).segmentProblems?.(specOf(inputs))) ?? [];
      return problems.map(({ problem, hint }) => ({ property: "attachment", reason: `${problem}; ${hint}` }));
    },

    async create(inputs, preview, { urn }) {
      const { driver, stack, name } = inputs;
      const id = objectId(inputs);
      if (preview) return { id, outputs: inputs };
      // A segment is the first object of a stack: creating one means that the stack is not being destroyed.
      await clearDismantling(stack);
      await rememberDriver(localHost, stack, name, driver);
      await driverByName(driver).ensureSegment(specOf(inputs), { stack, urn });
      return { id, outputs: inputs };
    },

    async read(id) {
      const { driver, stack, name } = parseObjectId(id);
      const found = await driverByName(driver).inspectSegment({ stack, name });
      if (!found) return undefined;
      const state = { driver, stack, name, ...(found.attachment ? { attachment: found.attachment } : {}) };
      return { inputs: state, outputs: state };
    },

    async update(_id, inputs, _olds, preview, { urn }) {
      if (preview) return inputs;
      const { driver, stack } = inputs;
      const hypervisor = driverByName(driver);
      const spec = specOf(inputs);
      const found = await hypervisor.inspectSegment(spec);
      await hypervisor.ensureSegment(spec, presentOwner(found, stack, urn));
      return inputs;
    },

    async delete(id, _olds, context) {
      const { driver, stack, name } = parseObjectId(id);
      const hypervisor = driverByName(driver);
      const found = await hypervisor.inspectSegment({ stack, name });
      if (belongsToAnother(`segment ${name}`, found, stack, context)) return;
      await hypervisor.removeSegment({ stack, name }, presentOwner(found, stack, context.urn));
      await forgetDriver(localHost, stack, name);
    },
  };
}
