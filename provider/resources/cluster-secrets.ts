import { readJson } from "../../host/file-store";
import { restoreFilesOf } from "../../host/restore-mark";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { StackObject } from "../../hypervisors/hypervisor";
import type { ClusterSecretsInputs, ClusterSecretsOutputs } from "../../model/cluster-secrets-types";
import { describeStages, keyRotations, keysToRotate, newValueText, type RotatableKey } from "../../model/key-rotations";
import { UserError } from "../../model/user-error";
import { UNKNOWN } from "../rpc/property-values";
import type { CheckFailure } from "../rpc/resource-handler";
import { authorityFiles, authorityProblems, refuseOtherAuthority, withFingerprint } from "./authority-input";
import { serversSchema, serversToCertify, withServers } from "./certified-servers";
import type { GivenAuthority } from "./given-authority";
import { refusedRotations } from "./refused-rotations";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** What connections need to know of the keys in states. */
export interface KeysOfStacks {
  note(values: ClusterSecretsOutputs["values"], stack: string): void;
}

/** All keys of a stack: stored in the state only, encrypted. */
export function clusterSecretsResource(
  driverByName: DriverByName,
  driverOfStack: (stack: string) => Promise<string | undefined>,
  keys: KeysOfStacks,
): TypedResource<ClusterSecretsInputs, ClusterSecretsOutputs> {
  return {
    schema: {
      description: "All keys of a stack, created once; a higher version recreates all of them, a higher rotation one.",
      inputs: {
        stack: schemas.stack,
        version: schemas.whole(),
        rotations: {
          type: "map",
          values: schemas.whole(),
          description: "How often each key was asked to be replaced.",
        },
        authority: authorityFiles,
        servers: serversSchema,
      },
      optional: ["rotations", "authority", "servers"],
      outputs: { values: { type: "map", values: schemas.text(), secret: true, description: "By name." } },
    },
    replaceOn: ["stack"],
    // Each operation learns the former keys of nodes by it.
    refreshBeforeUpdate: true,
    alwaysSecret: ["values"],

    asStored: withFingerprint,

    async check(inputs, _context, olds) {
      if (olds) return refusedRotations(olds, inputs);
      const { stack } = inputs;
      const driver = await driverOfStack(stack);
      const objects = driver === undefined ? [] : await driverByName(driver).listObjects(stack);
      const machines = objects.filter(({ kind, owner }) => kind === "machine" && owner?.stack === stack);
      const lost = machines.length === 0 ? [] : [lostKeys(stack, machines)];
      return [...lost, ...(await authorityProblems(inputs, await restoredKeys(stack)))];
    },

    async create(inputs, preview, context) {
      const { values, authority } = await firstKeys(inputs, preview);
      if (authority) context.log("info", `The cluster's authority is ${authority}.`);
      return { id: `${inputs.stack}/secrets`, outputs: { ...inputs, values } };
    },

    async read(id, olds) {
      if (!olds) throw new UserError("no-import", `${id} has nothing to import`, "add it to the program");
      keys.note(olds.outputs.values, olds.outputs.stack);
      return olds;
    },

    async update(_id, inputs, { outputs }, preview, context) {
      if (inputs.version < outputs.version) throw oldVersion(inputs.version, outputs.version);
      if (inputs.version > outputs.version)
        return { ...inputs, values: preview ? UNKNOWN : await certified(inputs, await newKeys(await givenTo(inputs))) };
      refuseOtherAuthority(inputs, outputs.values);
      const rotated = keysToRotate(outputs.rotations ?? {}, inputs.rotations ?? {});
      const kept = await rotatedValues(outputs.values, rotated, preview);
      const values = await withServers(kept, serversToCertify(kept, outputs, inputs, rotated), preview);
      keys.note(values, inputs.stack);
      if (rotated.includes("kubernetes-ca") && rotated.some((key) => key.startsWith("ssh-")))
        context.log("warning", lockedOutMeanwhile);
      for (const key of preview ? rotated : []) {
        context.log(
          "info",
          `${key} is replaced. ${describeStages(keyRotations[key])} ${keyRotations[key].consequence}`,
        );
      }
      return { ...inputs, values };
    },

    async delete() {
      // Removed with the state.
    },
  };
}

interface FirstKeys {
  readonly values: Values | typeof UNKNOWN;
  /** The given authority, for users. */
  readonly authority?: string;
}

/** Those of the backup that is being restored, if there is one. */
async function firstKeys(inputs: ClusterSecretsInputs, preview: boolean): Promise<FirstKeys> {
  const restored = await restoredKeys(inputs.stack);
  const given = restored ? undefined : await givenTo(inputs);
  const authority = given && { authority: given.description };
  if (preview) return { values: UNKNOWN, ...authority };
  return { values: await certified(inputs, restored ?? (await newKeys(given))), ...authority };
}

/** A backup may have those of other names. */
const certified = ({ servers = {} }: ClusterSecretsInputs, values: Values): Promise<Values> =>
  withServers(values, servers, false);

const restoredKeys = (stack: string) => readJson<Record<string, string>>(restoreFilesOf(stack).keys);

/** Loaded lazily: the certificate library would slow down the provider's start in every command. */
async function newKeys(given?: GivenAuthority): Promise<Record<string, string>> {
  const { makeClusterKeys } = await import("./cluster-keys");
  return makeClusterKeys(given);
}

async function givenTo({ authority }: ClusterSecretsInputs): Promise<GivenAuthority | undefined> {
  return authority && (await import("./given-authority")).needAuthority(authority);
}

type Values = ClusterSecretsOutputs["values"];

/** A preview shows where new values will be. With unknown ones, it could not show anything of any node. */
async function rotatedValues(present: Values, rotated: readonly RotatableKey[], preview: boolean): Promise<Values> {
  if (rotated.length === 0) return present;
  const { isSignedByCluster, rotateKeys } = await import("./cluster-keys");
  const isSigned = () => isSignedByCluster(present["admin.crt"] ?? "");
  if (rotated.includes("administrator") && isSigned()) throw irrevocable();
  if (rotated.includes("kubernetes-ca") && isSigned()) throw dependent();
  if (!preview) return rotateKeys(present, rotated);
  const replaced = rotated.flatMap((key): readonly string[] => keyRotations[key].secrets);
  return { ...present, ...Object.fromEntries(replaced.map((name) => [name, newValueText(name)])) };
}

const lockedOutMeanwhile =
  "SSH keys and kubernetes-ca are replaced by the same `up`: if it is interrupted, commands such as `npx groundplane ssh` may not reach nodes until " +
  "the next `up` completes it. Replace one of them first to avoid this.";

const irrevocable = (): UserError =>
  new UserError(
    "irrevocable-certificate",
    "the administrator's certificate is signed by the cluster's authority, as in stacks of earlier versions, so that API servers " +
      "would accept it also after a rotation",
    "remove `secrets.rotate.administrator`; a stack that is created with this version has another certificate",
  );

const dependent = (): UserError =>
  new UserError(
    "dependent-certificate",
    "the administrator's certificate is signed by the cluster's authority, as in stacks of earlier versions, so that API servers " +
      "would no longer accept it after a rotation of that authority",
    "remove `secrets.rotate.kubernetes-ca`; a stack that is created with this version has another certificate",
  );

/**
 * Keys come before machines, so a stack whose machines exist while its keys do not has lost its state. Its machines would be
 * adopted, because owner and URN are the same, and get keys that they never read.
 */
const lostKeys = (stack: string, machines: readonly StackObject[]): CheckFailure => ({
  property: "",
  reason:
    `Pulumi's state has no keys of ${stack}, but this host has its machines ${machines.map(({ name }) => name).join(", ")}, ` +
    "which work with other keys. Restore the state (its backend, `pulumi stack import`), or remove them: " +
    "`npx groundplane destroy --lost-state`; data disks stay",
});

const oldVersion = (wanted: number, present: number): UserError =>
  new UserError(
    "secrets-version",
    `the secrets have version ${present}; the earlier version ${wanted} no longer exists`,
    `set the version to ${present} to keep them, or to ${present + 1} for new ones`,
  );
