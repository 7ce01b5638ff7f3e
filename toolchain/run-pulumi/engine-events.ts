/**
 * The engine's events as `pulumi up --json` writes them, one JSON object a line: the fields that are of use here. Each
 * event holds one of these objects under its kind; kinds that are missing here are ignored.
 */
export interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: StepMetadata };
  readonly resOutputsEvent?: { readonly metadata: StepMetadata };
  readonly resOpFailedEvent?: { readonly metadata: StepMetadata };
  readonly diagnosticEvent?: Diagnostic;
  readonly summaryEvent?: {
    /** Number of resources by operation, e.g. `{ create: 3, same: 60 }`. */
    readonly resourceChanges?: Readonly<Record<string, number>>;
  };
}

export interface StepMetadata {
  /** e.g. `create`, `same`, `refresh`, `create-replacement` */
  readonly op: string;
  readonly urn: string;
}

export interface Diagnostic {
  /** The resource that it is about; absent for one about the program or the whole run. */
  readonly urn?: string;
  readonly message: string;
  readonly severity: "debug" | "info" | "info#err" | "warning" | "error";
  /** A message about progress, to be replaced by the next one. */
  readonly ephemeral?: boolean;
}

/** `undefined` for a line that is plain text: what Pulumi says before the engine runs is not in events. */
export function parseEngineEvent(line: string): EngineEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const event = JSON.parse(line) as EngineEvent & { readonly sequence?: number };
    return typeof event.sequence === "number" ? event : undefined;
  } catch {
    return undefined;
  }
}

export interface ResourceName {
  /** The type without package and module, e.g. `Machine`. */
  readonly kind: string;
  readonly name: string;
  /** False for a component, which only groups others. */
  readonly isReal: boolean;
}

/** `urn:pulumi:<stack>::<project>::<parent types>$<package>:<module>:<kind>::<name>` */
export function resourceOf(urn: string): ResourceName {
  const [, , types = "", name = ""] = urn.split("::");
  const type = types.slice(types.lastIndexOf("$") + 1);
  const [provider, module, kind = type] = type.split(":");
  const isReal = provider === "command" || (provider === "groundplane" && module === "index");
  return { kind, name, isReal };
}
