import type { Configuration } from "./configuration";
import type { ConfigurationPath } from "./configuration-path";
import type { Finding } from "./finding";

/** What the host knows and the file cannot say. */
export interface HostFacts {
  readonly memoryMiB: number | undefined;
}

/**
 * A rule over one or more values that each have the right shape. `reads` names them, so that a rule keeps quiet where
 * one of its values is already known to be wrong, and all the others still speak.
 */
export interface Rule {
  readonly reads: readonly ConfigurationPath[];
  check(configuration: Configuration, host: HostFacts): readonly Finding[];
}
