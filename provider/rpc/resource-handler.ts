import type { StateMigration } from "../../model/formats";
import type { ResourceSchema } from "./package-schema";
import type { Properties } from "./property-values";

export type Severity = "debug" | "info" | "warning" | "error";

/** The context of one call of the engine. */
export interface Context {
  readonly urn: string;
  /** The resource's logical name. */
  readonly name: string;
  /** Type token, e.g. `groundplane:index:Machine`. */
  readonly type: string;
  /** Aborted on Ctrl-C, at the call's time limit, and when the engine ends. */
  readonly signal: AbortSignal;
  /** The engine's time limit for this call, 0 = none. */
  readonly timeoutSeconds: number;
  /** `ephemeral`: shown as progress of the resource, not kept in the final output. */
  log(severity: Severity, message: string, ephemeral?: boolean): void;
}

export interface State {
  readonly id: string;
  readonly outputs: Properties;
}

export interface ReadState extends State {
  /** The inputs that correspond to the real object; the next diff compares with these. */
  readonly inputs: Properties;
}

export interface OldState {
  readonly inputs: Properties;
  readonly outputs: Properties;
}

export interface CheckFailure {
  /** Property path, `""` = the resource as a whole. */
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: Properties;
  readonly failures?: readonly CheckFailure[];
}

/** One resource type. All methods may run concurrently and may be killed at any point. */
export interface ResourceHandler {
  readonly schema?: ResourceSchema;
  /** Inputs whose change requires a new object, as top-level keys or complete property paths. */
  readonly replaceOn: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /**
   * What brings stored state of each earlier version to the next one. State gets the version after the last one. Without them, state
   * has no version, like that of another implementation of the type.
   */
  readonly migrations?: readonly StateMigration[];
  /** The engine reads the resource before every `up` and `preview`. */
  readonly refreshBeforeUpdate: boolean;
  /** Properties that are always secret, in addition to those with a secret input. */
  readonly alwaysSecret?: readonly string[];
  /** A secret input makes every output secret: for outputs that may echo inputs. */
  readonly taintOutputs?: boolean;
  /** `olds` are the inputs in the state; undefined for a resource that is not in the state. */
  check(news: Properties, context: Context, olds?: Properties): Promise<CheckResult>;
  /** In a preview it changes nothing and returns the planned outputs, with `UNKNOWN` for unknown ones. */
  create(inputs: Properties, preview: boolean, context: Context): Promise<State>;
  /** `undefined` when the object does not exist; without this method, the state counts as correct. On import `inputs` is empty. */
  read?(id: string, inputs: Properties, outputs: Properties, context: Context): Promise<ReadState | undefined>;
  update?(id: string, inputs: Properties, olds: OldState, preview: boolean, context: Context): Promise<Properties>;
  delete(id: string, olds: OldState, context: Context): Promise<void>;
  /** Whether an object must be updated whose inputs are the same as in the state. Absent = never. */
  isOutdated?(inputs: Properties): Promise<boolean>;
}

/**
 * The object is incomplete after create, read or update: it exists and stays in the state, and the next `up` calls `update`
 * even without differences to complete it.
 */
export class PartialFailure extends Error {
  constructor(
    message: string,
    readonly state: ReadState,
    readonly reasons: readonly string[] = [message],
  ) {
    super(message);
    this.name = "PartialFailure";
  }
}

export interface ProviderDefinition {
  /** Package name, e.g. `groundplane`. */
  readonly name: string;
  readonly version: string;
  /** By type token. */
  readonly resources: Readonly<Record<string, ResourceHandler>>;
  /** Former and present type tokens. Stored state may contain either. */
  readonly formerTypes?: Readonly<Record<string, string>>;
  readonly invokes?: Readonly<Record<string, (args: Properties, context: Context) => Promise<Properties>>>;
  /** The provider's own settings; unknown ones are possible in previews. */
  configure?(settings: Properties): void | Promise<void>;
}
