import { authorityNames } from "../../model/authority-rotations";
import type { ClusterSecretsInputs } from "../../model/cluster-secrets-types";
import { keysToRotate, type RotatableKey } from "../../model/key-rotations";
import { refusalPrefix } from "../../model/plan-losses";
import { refusedSettings } from "../../model/refused-settings";
import type { Settings } from "../../model/resource-types";
import type { CheckFailure } from "../rpc/resource-handler";
import { nodesInRoll } from "./open-roll";

/**
 * Which changes of `secrets.rotate` cannot be done. For the check of the keys: when it refuses, nothing has changed, and the state has the numbers of the
 * keys in it.
 */
export async function refusedRotations(
  olds: ClusterSecretsInputs,
  inputs: ClusterSecretsInputs,
): Promise<readonly CheckFailure[]> {
  const lower = refusedSettings(rotationSettings(olds), rotationSettings(inputs), "keys");
  const rotated = keysToRotate(olds.rotations ?? {}, inputs.rotations ?? {});
  const reasons = [
    ...lower.map((reason) => `${refusalPrefix}${reason}`),
    ...(await refusedInRoll(inputs.stack, rotated)),
  ];
  return reasons.map((reason) => ({ property: "", reason }));
}

const rotationSettings = ({ rotations = {} }: ClusterSecretsInputs): Settings =>
  Object.fromEntries(Object.entries(rotations).map(([key, number]) => [`secrets.rotate.${key}`, String(number)]));

/** Images follow after the stages of a rotation, so a node that has left the cluster to get one would not take part in them. */
async function refusedInRoll(stack: string, rotated: readonly RotatableKey[]): Promise<readonly string[]> {
  const keys = authorityNames.filter((name) => rotated.includes(name));
  const nodes = keys.length === 0 ? [] : await nodesInRoll(stack);
  if (nodes.length === 0) return [];
  const settings = keys.map((key) => `\`secrets.rotate.${key}\``).join(", ");
  return [
    `${keys.join(", ")} cannot be replaced now, because an earlier \`up\` was interrupted while ${nodes.join(", ")} got another image. ` +
      `Take back the change of ${settings} and run \`up\`, which completes the image; then change it again`,
  ];
}
