import { stackFolder } from "../../host/data-folder";
import { clearDismantling, isDismantling } from "../../host/dismantling-mark";
import { removeIfEmpty } from "../../host/file-store";
import { removeFollowedHostKeys } from "../../host/followed-host-keys";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import { refusalPrefix, refusedLosses } from "../../model/plan-losses";
import {
  type FormerMachine,
  type GuardedMember,
  type Pool,
  type PresentMember,
  poolOf,
  pools,
  rolesOfMember,
} from "../../model/pool-change";
import type { GuardInputs, GuardOutputs } from "../../model/resource-types";
import type { Role } from "../../model/roles";
import { refusedChange } from "../../model/upgrades";
import { UserError } from "../../model/user-error";
import type { ObjectSchema } from "../rpc/package-schema";
import type { CheckFailure } from "../rpc/resource-handler";
import { dropGuardRecord, type GuardRecord, readGuardRecord, writeGuardRecord } from "./guard-record";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const member: ObjectSchema = {
  type: "object",
  name: "GuardedMember",
  description: "One planned machine whose loss matters.",
  properties: {
    name: schemas.text(),
    roles: schemas.roles,
    uuid: schemas.text(),
    macs: schemas.list(schemas.text()),
  },
};

/**
 * Protects the members that the cluster needs. It refuses a plan that would remove too many of them before anything changes,
 * and its record lets every delete check again under a lock. It is never replaced.
 */
export function guardResource(driverByName: DriverByName): TypedResource<GuardInputs, GuardOutputs> {
  return {
    schema: {
      description: "Refuses plans that the cluster would not survive, while the stack exists.",
      inputs: {
        driver: schemas.driver,
        stack: schemas.stack,
        masters: schemas.list(member, "All masters are etcd members, unless etcd has its own machines."),
        etcd: schemas.list(member, "The machines of etcd, if it has its own."),
        balancers: schemas.list(member, "One balancer holds the floating IP."),
        storage: schemas.list(member),
        replicas: schemas.whole("The number of storage machines with the same data, including an arbiter."),
        volume: schemas.text("Shape of their volume; empty = none."),
        settings: {
          type: "map",
          values: schemas.text(),
          description: "The configuration as it takes effect, by path.",
        },
        kept: {
          type: "map",
          values: schemas.text(),
          description: "Why nodes cannot get the image of another release, by name.",
        },
        standing: schemas.flag("true; set by the provider, so that a removed guard differs."),
      },
      optional: ["standing", "volume", "settings", "kept", "etcd"],
      createOnly: ["kept"],
    },
    replaceOn: [],
    ownInputs: { standing: true },
    refreshBeforeUpdate: true,

    async check(inputs, _context, olds) {
      const { settings = {}, kept = {} } = inputs;
      const former = olds?.settings ?? {};
      const changes = refusedChange(former, settings, kept);
      const losses = looksTheSame(inputs, olds) ? [] : await judge(driverByName, inputs, olds);
      const refused = [...changes, ...losses];
      return refused.length > 0 && (await isWithoutMachines(driverByName, inputs)) ? [] : refused.map(refusal);
    },

    async create(inputs, preview) {
      if (!preview) await stand(inputs);
      return { id: `${inputs.stack}/guard`, outputs: outputsOf(inputs) };
    },

    async read(id, olds) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      const { stack } = olds.inputs;
      const standing = !isDismantling(stack) && (await hasRecord(olds.inputs));
      const inputs = { ...olds.inputs, standing };
      return { inputs, outputs: { ...outputsOf(inputs), standing } };
    },

    async update(_id, inputs, _olds, preview) {
      if (!preview) await stand(inputs);
      return outputsOf(inputs);
    },

    async delete(_id, { inputs }) {
      await dropGuardRecord(inputs.stack);
      await removeFollowedHostKeys(inputs.stack);
      // The last resource of the stack: nothing is left that reads the mark of the destroy.
      await clearDismantling(inputs.stack);
      await removeIfEmpty(stackFolder(inputs.stack));
    },
  };
}

const outputsOf = ({ kept: _kept, ...inputs }: GuardInputs): GuardOutputs => ({ ...inputs, standing: true });

/** A plan means that the stack is wanted: remove the mark of an interrupted destroy. */
async function stand(inputs: GuardInputs): Promise<void> {
  const { stack, masters, etcd = [], balancers, storage, replicas } = inputs;
  await clearDismantling(stack);
  const names = (members: readonly GuardedMember[]) => members.map(({ name }) => name);
  const record = {
    ...{ masters: names(masters), etcd: names(etcd) },
    ...{ balancers: names(balancers), storage: names(storage), replicas },
    ...releaseOf(inputs),
  };
  await writeGuardRecord(stack, record);
}

/** A file that names no release means the recorded one. */
const releaseOf = ({ settings }: GuardInputs): Pick<GuardRecord, "kubernetesVersion"> =>
  settings?.kubernetesVersion === undefined ? {} : { kubernetesVersion: settings.kubernetesVersion };

/** Not after an interrupted destroy. That of an earlier version lacks the release, which the next `up` adds. */
async function hasRecord(inputs: GuardInputs): Promise<boolean> {
  const record = await readGuardRecord(inputs.stack);
  return record !== undefined && record.kubernetesVersion === releaseOf(inputs).kubernetesVersion;
}

/** Avoids a query of the hypervisor in most operations. */
const looksTheSame = (inputs: GuardInputs, olds: GuardInputs | undefined): boolean =>
  olds !== undefined &&
  inputs.volume === olds.volume &&
  pools.every((pool) => JSON.stringify(membersOf(inputs, pool)) === JSON.stringify(membersOf(olds, pool)));

const membersOf = (inputs: GuardInputs, pool: Pool) => (inputs[pool] ?? []).map(identity);
const identity = ({ name, uuid, macs }: GuardedMember) => ({ name, uuid, macs });

async function judge(
  driverByName: DriverByName,
  inputs: GuardInputs,
  olds: GuardInputs | undefined,
): Promise<readonly string[]> {
  const hypervisor = driverByName(inputs.driver);
  const { stack } = inputs;
  const recorded = await recordedRoles(inputs, olds);
  const known = olds ? pools.flatMap((pool) => membersOf(olds, pool).map(({ name }) => name)) : [];
  const listed = (await hypervisor.listMachines(stack)).map(({ name }) => name);
  const before: FormerMachine[] = [];
  const present = new Map<string, PresentMember>();
  for (const name of new Set([...known, ...listed])) {
    const state = await hypervisor.inspectMachine({ stack, name });
    const roles = state?.spec.roles ?? recorded.get(name) ?? [];
    if (poolOf(roles) === undefined) continue;
    before.push({ name, roles });
    if (!state) continue;
    const { uuid, nics } = state.spec;
    present.set(name, { name, uuid, macs: nics.map(({ mac }) => mac), running: state.power === "running" });
  }
  // The existing copies remain when the plan has fewer machines.
  const replicas = Math.max(inputs.replicas, olds?.replicas ?? 0);
  return refusedLosses(before, present, { ...inputs, replicas }, olds?.volume).map(
    ({ property, problem, instead }) => `${property}: ${problem}; ${instead}`,
  );
}

/**
 * Whether the stack never had a machine, as after an `up` that failed at a kept disk: the configuration is not fixed yet, and
 * nothing can be lost. A stack that was complete once is guarded although its machines have vanished.
 */
async function isWithoutMachines(driverByName: DriverByName, { driver, stack }: GuardInputs): Promise<boolean> {
  const record = await readGuardRecord(stack);
  return record?.complete === false && (await driverByName(driver).listMachines(stack)).length === 0;
}

/** For the resource as a whole: the engine would print the value of a named property. */
const refusal = (reason: string): CheckFailure => ({ property: "", reason: `${refusalPrefix}${reason}` });

/** Roles of guarded machines by name: as planned, as in the state, and as in the record of the last `up`. */
async function recordedRoles(
  inputs: GuardInputs,
  olds: GuardInputs | undefined,
): Promise<ReadonlyMap<string, readonly Role[]>> {
  const record = await readGuardRecord(inputs.stack);
  const found = new Map<string, readonly Role[]>();
  for (const pool of pools) {
    const names = (record?.[pool] ?? []).map((name): Pick<GuardedMember, "name" | "roles"> => ({ name }));
    for (const member of [...names, ...(olds?.[pool] ?? []), ...(inputs[pool] ?? [])]) {
      found.set(member.name, rolesOfMember(pool, member));
    }
  }
  return found;
}
