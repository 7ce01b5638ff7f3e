import type { ConfigurationPath } from "./configuration-path";

/** A broken rule at a path, before the value as written and its line are looked up. */
export interface Finding {
  readonly path: ConfigurationPath;
  readonly rule: string;
  readonly fix: string;
  /** Text to show instead of the value as written, where the value is a result, e.g. a sum. */
  readonly shown?: string;
}
