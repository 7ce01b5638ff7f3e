import type { RotationNumbers } from "./key-rotations";

/** All keys of a stack, created once; a higher `version` recreates all of them, and a higher number in `rotations` one of them. */
export interface ClusterSecretsInputs {
  readonly stack: string;
  readonly version: number;
  /** Absent where no key was ever asked to be replaced. */
  readonly rotations?: RotationNumbers;
}
export interface ClusterSecretsOutputs extends ClusterSecretsInputs {
  /** By `SecretName` without the per-node ones. Secret as a whole. */
  readonly values: Readonly<Record<string, string>>;
}
