import { withoutCredentials } from "../../model/user-error";
import { type Diagnostic, type EngineEvent, parseEngineEvent, resourceOf, type StepMetadata } from "./engine-events";

/** Where news of a run goes; `ProgressLines` is one. */
export interface UpNews {
  /** A message that stays. */
  note(message: string): void;
  /** A message that the next one may replace. */
  status(message: string): void;
}

/** The operations that change something, by what they are called once they are done. */
const doneWords: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  "create-replacement": "created as replacement",
  "delete-replaced": "deleted for replacement",
  import: "imported",
};

/** Reads the output of `pulumi up --json` line by line, reports steps as they end, and keeps what the run came to. */
export class UpReport {
  /** The run as text for people; holds no values of resources, which may be secret. */
  readonly log: string[] = [];
  private readonly started = new Map<string, number>();
  private readonly errors: Diagnostic[] = [];
  private readonly plainText: string[] = [];
  private changes: Readonly<Record<string, number>> | undefined;

  constructor(
    private readonly news: UpNews,
    private readonly now: () => number = () => performance.now(),
  ) {}

  read(line: string): void {
    const event = parseEngineEvent(line);
    if (event) this.readEvent(event);
    else if (line.trim() !== "") {
      this.plainText.push(withoutCredentials(line));
      this.log.push(withoutCredentials(line));
    }
  }

  /** True when nothing was created, changed or deleted. */
  get isUnchanged(): boolean {
    return this.changes !== undefined && Object.keys(this.changes).every((op) => op === "same");
  }

  /** Pulumi's own errors, grouped by resource; what it printed before the engine ran when there are none. */
  get problems(): string {
    // The engine adds "update failed" without a resource whenever a resource failed.
    const specific = this.errors.filter(({ urn, message }) => urn !== undefined || message.trim() !== "update failed");
    const errors = specific.length > 0 ? specific : this.errors;
    if (errors.length === 0) return this.plainText.join("\n");
    return errors.map(describeError).join("\n");
  }

  private readEvent(event: EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent, summaryEvent } = event;
    if (resourcePreEvent) this.started.set(keyOf(resourcePreEvent.metadata), this.now());
    if (resOutputsEvent) this.readEnd(resOutputsEvent.metadata, doneWords[resOutputsEvent.metadata.op]);
    if (resOpFailedEvent) this.readEnd(resOpFailedEvent.metadata, `${resOpFailedEvent.metadata.op} failed`);
    if (diagnosticEvent) this.readDiagnostic(diagnosticEvent);
    if (summaryEvent) this.changes = summaryEvent.resourceChanges ?? {};
  }

  private readEnd(step: StepMetadata, word: string | undefined): void {
    const { kind, name, isReal } = resourceOf(step.urn);
    if (word === undefined || !isReal) return;
    const seconds = (this.now() - (this.started.get(keyOf(step)) ?? this.now())) / 1000;
    const took = seconds < 10 ? seconds.toFixed(1) : Math.round(seconds);
    this.note(`${name}: ${wordsOf(kind)} ${word} (${took} s)`);
  }

  private readDiagnostic(diagnostic: Diagnostic): void {
    const { urn, severity, ephemeral } = diagnostic;
    const message = withoutCredentials(diagnostic.message.trim());
    if (severity === "debug" || message === "") return;
    const name = urn === undefined ? "" : resourceOf(urn).name;
    const named = name === "" || message.startsWith(`${name}:`) ? message : `${name}: ${message}`;
    if (severity === "error") this.errors.push({ ...diagnostic, message });
    if (severity === "warning") this.note(`warning: ${named}`);
    else this.log.push(named);
    if (severity === "info" && ephemeral) this.news.status(named.split("\n")[0] ?? "");
  }

  private note(message: string): void {
    this.log.push(message);
    this.news.note(message);
  }
}

/** A replaced resource goes through several operations under one URN. */
const keyOf = ({ op, urn }: StepMetadata): string => `${op} ${urn}`;

/** `NodeFiles` → `node files` */
const wordsOf = (kind: string): string => kind.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();

function describeError({ urn, message }: Diagnostic): string {
  const lines = message.trim().split("\n");
  if (urn === undefined) return lines.join("\n");
  const { kind, name } = resourceOf(urn);
  return [`${name} (${wordsOf(kind)}):`, ...lines.map((line) => `  ${line}`)].join("\n");
}
