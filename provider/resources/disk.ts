import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { DiskInputs, DiskOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { objectId, parseObjectId } from "./object-id";
import { presentOwner } from "./present-owner";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** A data disk: outlives the machine that uses it and, with `keep`, the stack. */
export function diskResource(driverByName: DriverByName): TypedResource<DiskInputs, DiskOutputs> {
  return {
    schema: {
      description: "A data disk of a stack.",
      inputs: {
        driver: schemas.driver,
        stack: schemas.stack,
        name: schemas.text("e.g. storage-1-brick"),
        uuid: schemas.text(),
        sizeGiB: schemas.whole("GiB"),
        keep: schemas.flag("Deletion keeps the disk and its data."),
      },
    },
    replaceOn: ["driver", "stack", "name", "uuid"],
    refreshBeforeUpdate: true,

    async create(inputs, preview, { urn }) {
      const id = objectId(inputs);
      if (!preview) await ensure(driverByName, inputs, urn);
      return { id, outputs: inputs };
    },

    async read(id, olds) {
      const { driver, stack, name } = parseObjectId(id);
      const found = await driverByName(driver).inspectDisk({ stack, name });
      if (!found) return undefined;
      const { uuid, sizeGiB } = found;
      // Only the state records whether to keep it; an imported disk is kept until the program sets `keep`.
      const inputs = { driver, stack, name, uuid, sizeGiB, keep: olds?.inputs.keep ?? true };
      return { inputs, outputs: inputs };
    },

    async update(_id, inputs, olds, preview, { urn }) {
      if (inputs.sizeGiB < olds.inputs.sizeGiB) throw shrinking(inputs, olds.inputs);
      if (!preview) await ensure(driverByName, inputs, urn);
      return inputs;
    },

    async delete(id, olds, { urn }) {
      if (olds.inputs.keep) return;
      const { driver, stack, name } = parseObjectId(id);
      const hypervisor = driverByName(driver);
      const found = await hypervisor.inspectDisk({ stack, name });
      await hypervisor.removeDisk({ stack, name }, presentOwner(found, stack, urn));
    },
  };
}

async function ensure(driverByName: DriverByName, inputs: DiskInputs, urn: string): Promise<void> {
  const { driver, stack, name, uuid, sizeGiB } = inputs;
  const hypervisor = driverByName(driver);
  // A disk that an earlier deployment of this stack kept is adopted, whatever its resource name was.
  const found = await hypervisor.inspectDisk({ stack, name });
  await hypervisor.ensureDisk({ stack, name, uuid, sizeGiB }, presentOwner(found, stack, urn));
}

const shrinking = (inputs: DiskInputs, before: DiskInputs): UserError =>
  new UserError(
    "disk-shrinks",
    `disk ${inputs.name} has ${before.sizeGiB} GiB and cannot shrink to ${inputs.sizeGiB} GiB`,
    "set its former size, or use a new disk with another name and copy the data",
  );
