import * as path from "node:path";
import { disksFolder } from "../../host/data-folder";
import { areDisksKept } from "../../host/dismantling-mark";
import { exists } from "../../host/file-store";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import { diskChanges, inputsOfClass } from "../../model/change-classes";
import { type DriverName, driverNames, featuresOf, isDriverName } from "../../model/drivers";
import { refusalPrefix } from "../../model/plan-losses";
import type { DiskInputs, DiskOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { CheckFailure, Context } from "../rpc/resource-handler";
import { objectId, parseObjectId } from "./object-id";
import { belongsToAnother, presentOwner } from "./present-owner";
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
        use: schemas.text("What its data is, e.g. which copy of which volume."),
        keep: schemas.flag("Deletion keeps the disk and its data."),
      },
      optional: ["use"],
    },
    // A state of an earlier version has no `use`; another one is refused.
    replaceOn: inputsOfClass(diskChanges, "creation-only", "replace").filter((input) => input !== "use"),
    refreshBeforeUpdate: true,

    async check(inputs, _context, olds) {
      return olds !== undefined && olds.use === inputs.use ? [] : unfitKeptDisk(driverByName, inputs);
    },

    async create(inputs, preview, context) {
      const id = objectId(inputs);
      if (!preview) await ensure(driverByName, inputs, context);
      return { id, outputs: inputs };
    },

    async read(id, olds) {
      const { driver, stack, name } = parseObjectId(id);
      const found = await driverByName(driver).inspectDisk({ stack, name });
      if (!found) return undefined;
      const { uuid, sizeGiB, use } = found;
      // Only the state records whether to keep it; an imported disk is kept until the program sets `keep`.
      const keep = olds?.inputs.keep ?? true;
      const inputs = { driver, stack, name, uuid, sizeGiB, ...(use !== undefined && { use }), keep };
      return { inputs, outputs: inputs };
    },

    async update(_id, inputs, olds, preview, context) {
      if (inputs.sizeGiB < olds.inputs.sizeGiB) throw shrinking(inputs.name, olds.inputs.sizeGiB, inputs.sizeGiB);
      if (!preview) await ensure(driverByName, inputs, context);
      return inputs;
    },

    async delete(id, olds, context) {
      const { driver, stack, name } = parseObjectId(id);
      if (olds.inputs.keep || areDisksKept(stack)) return;
      const hypervisor = driverByName(driver);
      const found = await hypervisor.inspectDisk({ stack, name });
      if (belongsToAnother(`disk ${name}`, found, stack, context)) return;
      await hypervisor.removeDisk({ stack, name }, presentOwner(found, stack, context.urn));
    },
  };
}

async function ensure(driverByName: DriverByName, inputs: DiskInputs, { urn, log }: Context): Promise<void> {
  const { driver, stack, name, uuid, sizeGiB, use } = inputs;
  const hypervisor = driverByName(driver);
  // A disk that an earlier deployment of this stack kept is adopted, whatever its resource name was.
  const found = await hypervisor.inspectDisk({ stack, name });
  const owner = presentOwner(found, stack, urn);
  if (found && use !== undefined && found.use === undefined) {
    log("info", `${name} has no record of what its data is; from now on: ${use}`);
  }
  await hypervisor.ensureDisk({ stack, name, uuid, sizeGiB, ...(use !== undefined && { use }) }, owner);
}

/**
 * Why a disk that an earlier deployment kept cannot serve. Data of another use would be served as if it were right: a brick
 * without file contents as a complete copy.
 */
async function unfitKeptDisk(driverByName: DriverByName, inputs: DiskInputs): Promise<readonly CheckFailure[]> {
  const { driver, stack, name, use, sizeGiB } = inputs;
  const elsewhere = await keptByAnotherDriver(inputs);
  if (elsewhere !== undefined) return [{ property: "", reason: elsewhere }];
  const found = await driverByName(driver).inspectDisk({ stack, name });
  if (found === undefined) return [];
  const reasons: string[] = [];
  if (use !== undefined && found.use !== undefined && found.use !== use) {
    const place = path.join(disksFolder(stack), `${name}*`);
    const instead = `restore the former configuration, or remove the disk and its data yourself: ${place}`;
    reasons.push(`${refusalPrefix}disk ${name} is kept as ${found.use} and cannot become ${use}; ${instead}`);
  }
  if (found.sizeGiB > sizeGiB) reasons.push(shrinking(name, found.sizeGiB, sizeGiB).message);
  // For the resource as a whole: the engine would print the value of a named property.
  return reasons.map((reason) => ({ property: "", reason }));
}

/** Each driver keeps content in a form of its own: this one would begin with an empty disk, without a word about the data. */
async function keptByAnotherDriver({ driver, stack, name }: DiskInputs): Promise<string | undefined> {
  const contentOf = (one: DriverName): string | undefined => {
    const content = featuresOf(one).diskContent?.(name);
    return content === undefined ? undefined : path.join(disksFolder(stack), content);
  };
  const own = isDriverName(driver) ? contentOf(driver) : undefined;
  if (own === undefined || (await exists(own))) return undefined;
  for (const other of driverNames) {
    const content = other === driver ? undefined : contentOf(other);
    if (content === undefined || !(await exists(content))) continue;
    const instead = `set \`driver: ${other}\` again, or move ${path.dirname(content)} away to start with an empty disk`;
    return `disk ${name} is kept in a form that only the driver ${other} can use; ${instead}`;
  }
  return undefined;
}

const shrinking = (name: string, from: number, to: number): UserError =>
  new UserError(
    "disk-shrinks",
    `disk ${name} has ${from} GiB and cannot shrink to ${to} GiB`,
    `set sizeGiB to ${from} again, or use a new disk with another name and copy the data`,
  );
