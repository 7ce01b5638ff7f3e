import type { Configuration } from "./configuration";
import type { ConfigurationPath } from "./configuration-path";

/** A broken rule at a path, before the value as written and its line are looked up. */
export interface Finding {
  readonly path: ConfigurationPath;
  readonly rule: string;
  readonly fix: string;
  /** Text to show instead of the value as written, where the value is a result, e.g. a sum. */
  readonly shown?: string;
}

/** What the host knows and the file cannot say. */
export interface HostFacts {
  readonly memoryMiB: number | undefined;
}

/**
 * A rule over one or more values that each have the right shape. `reads` names them: a rule is skipped if one of
 * its values is already known to be wrong, and all other rules still apply.
 */
export interface Rule {
  readonly reads: readonly ConfigurationPath[];
  check(configuration: Configuration, host: HostFacts): readonly Finding[];
}
