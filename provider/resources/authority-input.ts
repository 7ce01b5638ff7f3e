import { X509Certificate } from "node:crypto";
import { readIfPresentSync } from "../../host/file-store";
import { authorityIssuers, type ClusterSecretsInputs } from "../../model/cluster-secrets-types";
import { startOver } from "../../model/kept-keys";
import { UserError } from "../../model/user-error";
import type { ObjectSchema } from "../rpc/package-schema";
import type { CheckFailure } from "../rpc/resource-handler";
import { isMadeAuthority } from "./made-authority";
import * as schemas from "./schemas";

/**
 * The input of `ClusterSecrets` with a given authority. Its files are read when the keys are made. Later they may be away, as on a host
 * that restores a backup; if they are there, they must contain the authority that the stack has.
 */

export const authorityFiles: ObjectSchema = {
  type: "object",
  name: "AuthorityFiles",
  description: "Files of this host with the cluster's authority.",
  properties: {
    certificate: schemas.text("PEM: the authority's certificate, then those of its issuers up to the root."),
    key: schemas.text("PEM."),
    fingerprint: schemas.text("Of the authority's certificate; the provider adds it."),
  },
  optional: ["fingerprint"],
};

type Values = Readonly<Record<string, string>>;

/** Another certificate in the same file is a difference. */
export function withFingerprint(inputs: ClusterSecretsInputs, olds?: ClusterSecretsInputs): ClusterSecretsInputs {
  const { authority } = inputs;
  if (!authority) return inputs;
  const fingerprint = fingerprintIn(authority.certificate) ?? olds?.authority?.fingerprint;
  return { ...inputs, authority: { ...authority, ...(fingerprint !== undefined && { fingerprint }) } };
}

/** Of the first certificate in a file; `undefined` without one. */
function fingerprintIn(file: string): string | undefined {
  try {
    return new X509Certificate(readIfPresentSync(file) ?? "").fingerprint256;
  } catch {
    return undefined;
  }
}

/**
 * What keeps a new stack from getting its authority.
 *
 * @param restored the keys of the backup that is being restored
 */
export async function authorityProblems(
  inputs: ClusterSecretsInputs,
  restored: Values | undefined,
): Promise<readonly CheckFailure[]> {
  if (restored) return restoreProblems(inputs, restored);
  if (!inputs.authority) return [];
  const { problems = [] } = await (await import("./given-authority")).readAuthority(inputs.authority);
  return problems.map((reason) => ({ property: "", reason }));
}

function restoreProblems(inputs: ClusterSecretsInputs, restored: Values): readonly CheckFailure[] {
  if (!inputs.authority && isGiven(restored)) {
    const reason =
      "the backup has a given authority, and the configuration has no secrets.authority: add it as it was; the files need not exist";
    return [{ property: "", reason }];
  }
  const other = otherAuthority(inputs, restored);
  return other === undefined
    ? []
    : [
        {
          property: "",
          reason: `${other}, which is that of the backup. Remove the files, or give those of the backup`,
        },
      ];
}

/** A root that was given has no issuers. */
const isGiven = ({ [authorityIssuers]: issuers, "kubernetes-ca.crt": certificate }: Values): boolean =>
  issuers !== undefined ||
  (certificate !== undefined && !isMadeAuthority("kubernetes-ca", new X509Certificate(certificate).subject));

/** @throws UserError when the files have another authority than the stack */
export function refuseOtherAuthority(inputs: ClusterSecretsInputs, present: Values): void {
  const other = otherAuthority(inputs, present);
  if (other === undefined) return;
  throw new UserError(
    "other-authority",
    `${other}: all nodes and pods trust that, and it signs the certificates of all of them`,
    `put the former files back, or remove them, because only the creation of the stack needs them; otherwise ${startOver}`,
  );
}

function otherAuthority({ authority }: ClusterSecretsInputs, values: Values): string | undefined {
  if (authority?.fingerprint === undefined) return undefined;
  const present = new X509Certificate(values["kubernetes-ca.crt"] ?? "");
  if (present.fingerprint256 === authority.fingerprint) return undefined;
  const file = JSON.stringify(authority.certificate);
  const name = present.subject.split("\n").reverse().join(", ");
  return `secrets.authority.certificate: ${file} is not the stack's authority ${name}`;
}
