import { isDismantling } from "../../host/dismantling-mark";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { Hypervisor, MachineSpec, MachineState, Owner } from "../../hypervisors/hypervisor";
import { inputsOfClass, machineChanges } from "../../model/change-classes";
import { shutdownMs } from "../../model/hypervisor-objects";
import type { DriverInput, MachineInputs, MachineOutputs } from "../../model/resource-types";
import { storedRoles } from "../../model/roles";
import { type Properties, UNKNOWN } from "../rpc/property-values";
import { type CheckFailure, type Context, PartialFailure } from "../rpc/resource-handler";
import { describeGrowth, grownVolumes } from "./disk-growth";
import { fillSecrets, referredSecrets } from "./fill-secrets";
import { isInTransition, markInTransition, refuseUnsafeLoss, withStackLock } from "./guard-record";
import { interruption, returnToFormerDisk } from "./interrupted-roll";
import { machineSchema } from "./machine-schema";
import { objectId, parseObjectId } from "./object-id";
import { belongsToAnother, presentOwner } from "./present-owner";
import type { TypedResource } from "./typed-resource";

/** A machine that exists and runs. It does not wait for the guest to boot; resources that need the guest do. */
export function machineResource(driverByName: DriverByName): TypedResource<MachineInputs, MachineOutputs> {
  return {
    schema: machineSchema,
    replaceOn: inputsOfClass(machineChanges, "creation-only", "replace"),
    alwaysSecret: ["secrets"],
    // A stopped machine has no other difference, and manual changes may have no input of their own.
    ownInputs: { power: "running", drift: [] },
    refreshBeforeUpdate: true,

    async check(inputs) {
      return missingSecrets(inputs);
    },

    async create(inputs, preview, context) {
      const id = objectId(inputs);
      if (preview) return { id, outputs: { ...specOf(inputs), ...asWanted, generation: UNKNOWN } };
      const owner = { stack: inputs.stack, urn: context.urn };
      return { id, outputs: await converge(driverByName(inputs.driver), inputs, owner, context) };
    },

    async read(id, olds) {
      const { driver, stack, name } = parseObjectId(id);
      const state = await driverByName(driver).inspectMachine({ stack, name });
      if (!state) return undefined;
      // Only the state has the seed; the next `up` sets the seed of an imported machine.
      const { seed, secrets } = olds?.inputs ?? { seed: emptySeed, secrets: {} };
      const drift = [...(state.drift ?? []), ...[(await interruption(state)) ?? []].flat()];
      const inputs = { ...state.spec, ...volumesOf(olds?.inputs), driver, seed, secrets, power: state.power, drift };
      return { inputs, outputs: { ...outputsOf(inputs, { ...state, drift }), ...volumesOf(olds?.outputs) } };
    },

    async update(_id, inputs, olds, preview, context) {
      const standing = volumesOf({ volumes: grownVolumes(inputs, olds.outputs) });
      const growth = describeGrowth(inputs, olds.outputs);
      if (preview && growth) context.log("info", growth);
      // It keeps the image that it was made from: another one is for machines that are made later.
      const { generation, image } = olds.outputs;
      if (preview) return { ...specOf(inputs), image, ...standing, ...asWanted, generation };
      const hypervisor = driverByName(inputs.driver);
      // It is in our state, so it is ours, whatever its former name: it may be imported, or moved in the program.
      const found = await hypervisor.inspectMachine(inputs);
      const owner = presentOwner(found, inputs.stack, context.urn);
      const say = (text: string) => context.log("info", text);
      const present = found && (await returnToFormerDisk(hypervisor, found, owner, say));
      const kept = { ...inputs, image: present?.spec.image ?? inputs.image };
      return { ...(await converge(hypervisor, kept, owner, context)), ...standing };
    },

    async delete(id, olds, context) {
      const { driver, ...machine } = parseObjectId(id);
      const hypervisor = driverByName(driver);
      const found = await hypervisor.inspectMachine(machine);
      if (belongsToAnother(`machine ${machine.name}`, found, machine.stack, context)) return;
      await withStackLock(machine.stack, async () => {
        // A master that has left the cluster is no loss, and neither is a machine that no longer exists.
        if (found && !isInTransition(machine)) await refuseUnsafeLoss(hypervisor, machine);
        markInTransition(machine);
      });
      if (shutsDownFirst(machine.stack, olds.inputs)) {
        context.log("info", `${machine.name}: shutting down`, true);
        await hypervisor.stopMachine(machine, shutdownMs(olds.inputs));
      }
      await hypervisor.removeMachine(machine, presentOwner(found, machine.stack, context.urn));
    },
  };
}

/**
 * A machine with a data disk writes its buffers first. A worker that is removed alone may still have pods that no drain ends:
 * those of DaemonSets, and those whose eviction was refused. Together with its whole cluster it has nothing to hand over.
 */
const shutsDownFirst = (stack: string, inputs: MachineInputs): boolean =>
  inputs.disks.length > 0 || (storedRoles(inputs).includes("worker") && !isDismantling(stack));

const asWanted = { power: "running", drift: [] } as const;

const volumesOf = (holder?: Pick<MachineInputs, "volumes">): Pick<MachineInputs, "volumes"> =>
  holder?.volumes ? { volumes: holder.volumes } : {};

const emptySeed = { userData: "", metaData: "", networkConfig: "" };

/** Creates or changes the machine and starts it; an interrupted run may have done part of it already. */
async function converge(
  hypervisor: Hypervisor,
  inputs: MachineInputs,
  owner: Owner,
  context: Context,
): Promise<MachineOutputs> {
  const { log, signal } = context;
  const seed = fillSecrets(inputs.seed, inputs.secrets);
  signal.throwIfAborted();
  log("info", `${inputs.name}: preparing disk and seed`, true);
  const announce = (text: string) => log("info", text);
  const made = await hypervisor.ensureMachine(machineSpec(inputs), seed, owner, announce);
  // It counts as missing until it is ready.
  if (made.power !== "running") markInTransition(inputs);
  // From here on it exists, so it must stay in the state even after a failure.
  try {
    signal.throwIfAborted();
    if (made.power !== "running") log("info", `${inputs.name}: starting`, true);
    await hypervisor.startMachine(inputs);
    return outputsOf(inputs, { ...made, power: "running" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PartialFailure(`${inputs.name} exists but is not running: ${reason}`, {
      id: objectId(inputs),
      inputs: { ...inputs, power: "stopped" } as unknown as Properties,
      outputs: outputsOf(inputs, { ...made, power: "stopped" }) as unknown as Properties,
    });
  }
}

/** All inputs except those that only the creation reads. */
function specOf({ seed: _seed, secrets: _secrets, ...spec }: MachineInputs): DriverInput & MachineSpec {
  return spec;
}

const outputsOf = (inputs: MachineInputs, { power, generation, drift = [] }: MachineState): MachineOutputs => ({
  ...specOf(inputs),
  power,
  drift,
  generation,
});

function machineSpec(inputs: MachineInputs): MachineSpec {
  const { stack, name, roles, uuid, image, cpus, memoryMiB, diskGiB, nics, uplink, disks, shutdownSeconds } = inputs;
  const spec = { stack, name, uuid, image, cpus, memoryMiB, diskGiB, nics, disks };
  return {
    ...spec,
    ...(roles && { roles }),
    ...(uplink && { uplink }),
    ...(shutdownSeconds !== undefined && { shutdownSeconds }),
  };
}

function missingSecrets({ seed, secrets }: MachineInputs): CheckFailure[] {
  // In a preview either may be unknown; `create` checks again.
  if (Object.values(seed).some((text) => typeof text !== "string") || typeof secrets !== "object") return [];
  return referredSecrets(seed)
    .filter((name) => !Object.hasOwn(secrets, name))
    .map((name) => ({ property: "secrets", reason: `the seed refers to the unknown secret "${name}"` }));
}
