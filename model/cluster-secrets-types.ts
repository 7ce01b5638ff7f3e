import type { RotationNumbers } from "./key-rotations";

/** Files of this host with an authority that is not made by groundplane. */
export interface AuthorityFiles {
  /** PEM: the authority's certificate, then those of its issuers up to the root. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

/** Name of the value with the certificates of a given authority's issuers. Absent: the authority is a root. */
export const authorityIssuers = "kubernetes-ca-issuers.crt";

/** All keys of a stack, created once; a higher `version` recreates all of them, and a higher number in `rotations` one of them. */
export interface ClusterSecretsInputs {
  readonly stack: string;
  readonly version: number;
  /** Absent where no key was ever asked to be replaced. */
  readonly rotations?: RotationNumbers;
  /**
   * Absent where groundplane makes the cluster's authority. The files are read when the keys are made. The provider adds the fingerprint
   * of the certificate, so that another one in the same file is a difference.
   */
  readonly authority?: AuthorityFiles & { readonly fingerprint?: string };
  /** Servers for which the cluster's authority signs certificates, with the names that these are for. Absent where there are none. */
  readonly servers?: Readonly<Record<string, readonly string[]>>;
}
export interface ClusterSecretsOutputs extends ClusterSecretsInputs {
  /** By `SecretName` without the per-node ones. Secret as a whole. */
  readonly values: Readonly<Record<string, string>>;
}
