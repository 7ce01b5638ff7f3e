import { stackFolder } from "../../host/data-folder";
import { clearDismantling, isDismantling } from "../../host/dismantling-mark";
import { removeIfEmpty } from "../../host/file-store";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import { refusalPrefix, refusedLosses } from "../../model/plan-losses";
import { type GuardedMember, type PresentMember, poolOf, pools } from "../../model/pool-change";
import type { GuardInputs, GuardOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { ObjectSchema } from "../rpc/package-schema";
import type { CheckFailure } from "../rpc/resource-handler";
import { dropGuardRecord, readGuardRecord, writeGuardRecord } from "./guard-record";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const member: ObjectSchema = {
  type: "object",
  name: "GuardedMember",
  description: "One planned machine whose loss matters.",
  properties: {
    name: schemas.text(),
    uuid: schemas.text(),
    image: schemas.text("Name of the image it starts from."),
    macs: schemas.list(schemas.text()),
  },
};

/**
 * Knows who the cluster cannot do without. A plan that would take too many of them is refused before anything happens,
 * and what it tells by its record lets the deletes look again, one after the other. Nothing of it is ever replaced.
 */
export function guardResource(driverByName: DriverByName): TypedResource<GuardInputs, GuardOutputs> {
  return {
    schema: {
      description: "Refuses plans whose losses the cluster would not survive, for as long as the stack stands.",
      inputs: {
        driver: schemas.driver,
        stack: schemas.stack,
        masters: schemas.list(member, "All of them are members of etcd."),
        balancers: schemas.list(member, "One of them holds the floating IP."),
        storage: schemas.list(member),
        replicas: schemas.whole("How many storage machines keep the same data, an arbiter among them."),
        volume: schemas.text("Shape of their volume; empty = none."),
        standing: schemas.flag("true; set by the provider, so that a guard that was put away differs."),
      },
      optional: ["standing", "volume"],
    },
    replaceOn: [],
    ownInputs: { standing: true },
    refreshBeforeUpdate: true,

    async check(inputs, _context, olds) {
      return looksTheSame(inputs, olds) ? [] : judge(driverByName, inputs, olds);
    },

    async create(inputs, preview) {
      if (!preview) await stand(inputs);
      return { id: `${inputs.stack}/guard`, outputs: { ...inputs, standing: true } };
    },

    async read(id, olds) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program instead");
      const { stack } = olds.inputs;
      // A destroy that was interrupted has put it away.
      const standing = !isDismantling(stack) && (await readGuardRecord(stack)) !== undefined;
      const inputs = { ...olds.inputs, standing };
      return { inputs, outputs: inputs };
    },

    async update(_id, inputs, _olds, preview) {
      if (!preview) await stand(inputs);
      return { ...inputs, standing: true };
    },

    async delete(_id, { inputs }) {
      await dropGuardRecord(inputs.stack);
      // The last of a stack: nobody is left whom the mark of its destroy would tell anything.
      await clearDismantling(inputs.stack);
      await removeIfEmpty(stackFolder(inputs.stack));
    },
  };
}

/** Who plans the stack wants it to stand: the mark of a destroy that did not come to its end goes. */
async function stand({ stack, masters, balancers, storage, replicas }: GuardInputs): Promise<void> {
  await clearDismantling(stack);
  const names = (members: readonly GuardedMember[]) => members.map(({ name }) => name);
  const record = { masters: names(masters), balancers: names(balancers), storage: names(storage), replicas };
  await writeGuardRecord(stack, record);
}

/** Spares the hypervisor the question in most operations. */
const looksTheSame = (inputs: GuardInputs, olds: GuardInputs | undefined): boolean =>
  olds !== undefined &&
  inputs.volume === olds.volume &&
  pools.every((pool) => JSON.stringify(inputs[pool]) === JSON.stringify(olds[pool]));

async function judge(
  driverByName: DriverByName,
  inputs: GuardInputs,
  olds: GuardInputs | undefined,
): Promise<readonly CheckFailure[]> {
  const hypervisor = driverByName(inputs.driver);
  const { stack } = inputs;
  const known = olds ? pools.flatMap((pool) => olds[pool].map(({ name }) => name)) : [];
  const listed = (await hypervisor.listMachines(stack)).map(({ name }) => name);
  const before = [...new Set([...known, ...listed])].filter((name) => poolOf(name) !== undefined);
  const present = new Map<string, PresentMember>();
  for (const name of before) {
    const state = await hypervisor.inspectMachine({ stack, name });
    if (!state) continue;
    const { uuid, image, nics } = state.spec;
    present.set(name, { name, uuid, image, macs: nics.map(({ mac }) => mac), running: state.power === "running" });
  }
  // The copies that there are do not become fewer with the machines for them.
  const replicas = Math.max(inputs.replicas, olds?.replicas ?? 0);
  return refusedLosses(before, present, { ...inputs, replicas }, olds?.volume).map(
    ({ property, problem, instead }) => ({
      // Of the resource as a whole: the engine prints the value of a property that is named.
      property: "",
      reason: `${refusalPrefix}${property}: ${problem}; ${instead}`,
    }),
  );
}
