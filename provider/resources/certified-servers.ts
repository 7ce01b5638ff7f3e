import type { ClusterSecretsInputs, ClusterSecretsOutputs } from "../../model/cluster-secrets-types";
import { newValueText, type RotatableKey } from "../../model/key-rotations";
import type { PropertySchema } from "../rpc/package-schema";
import * as schemas from "./schemas";

type Values = ClusterSecretsOutputs["values"];
type Servers = NonNullable<ClusterSecretsInputs["servers"]>;

export const serversSchema: PropertySchema = {
  type: "map",
  values: schemas.list(schemas.text()),
  description: "Servers with certificates of the cluster's authority, and the names that these are for.",
};

/** Servers that need a certificate: they have none, theirs is for other names, or the authority that signed it was replaced. */
export function serversToCertify(
  values: Values,
  { servers: before = {} }: Pick<ClusterSecretsInputs, "servers">,
  { servers: after = {} }: Pick<ClusterSecretsInputs, "servers">,
  rotated: readonly RotatableKey[] = [],
): Servers {
  const isCertified = (name: string): boolean =>
    values[`${name}.crt`] !== undefined && JSON.stringify(before[name]) === JSON.stringify(after[name]);
  const isSigned = !rotated.includes("kubernetes-ca");
  return Object.fromEntries(Object.entries(after).filter(([name]) => !isSigned || !isCertified(name)));
}

/** The keys with those of the servers. A preview shows where new values will be. */
export async function withServers(values: Values, servers: Servers, preview: boolean): Promise<Values> {
  const names = Object.keys(servers);
  if (names.length === 0) return values;
  if (!preview) return { ...values, ...(await (await import("./server-keys")).serverKeys(values, servers)) };
  const secrets = names.flatMap((name) => [`${name}.crt`, `${name}.key`]);
  return { ...values, ...Object.fromEntries(secrets.map((name) => [name, newValueText(name)])) };
}
