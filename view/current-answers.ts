import type { MachineAnswers } from "../verify/health/findings";
import type { StackAnswers } from "../verify/health/health-rows";
import { observed } from "./observed";
import { changedParts, eventsBetween, withLastKnown } from "./picture/changes";
import type { Observed, ViewEvent } from "./picture/state";
import type { Change } from "./stack-answers";

export interface WatchListener {
  readonly parts: (parts: Partial<Observed>) => void;
  readonly events: (events: readonly ViewEvent[]) => void;
}

/** The answers of a stack, and what each change of them means for the page. */
export class CurrentAnswers {
  private answers: StackAnswers | undefined;
  private last: Observed | undefined;
  /** For news: what is not known is as it was known last. */
  private known: Observed | undefined;
  private askedAt = "";
  /** Made since all questions were asked, whose answers may be older. */
  private changes: Change[] = [];

  constructor(
    private readonly stack: string,
    private readonly driver: string,
    private readonly listener: WatchListener,
    private readonly now: () => number,
  ) {}

  /** Undefined until everything was asked once. */
  get all(): StackAnswers | undefined {
    return this.answers;
  }

  machine(name: string): MachineAnswers | undefined {
    return this.answers?.machines.find((machine) => machine.name === name);
  }

  /** Everything is asked. What changes meanwhile is newer than the answers. */
  async replace(ask: () => Promise<StackAnswers>): Promise<void> {
    this.changes = [];
    const answers = await ask();
    this.askedAt = new Date(this.now()).toISOString();
    this.answers = this.changes.reduce((all, change) => change(all), answers);
    this.publish();
  }

  apply(change: Change): void {
    if (this.answers === undefined) return;
    this.changes.push(change);
    this.answers = change(this.answers);
    this.publish();
  }

  private publish(): void {
    if (this.answers === undefined) return;
    const next = observed(this.stack, this.driver, this.answers, this.askedAt);
    const parts = changedParts(this.last, next);
    const known = withLastKnown(this.known, next);
    const events = eventsBetween(this.known, known, this.now());
    this.last = next;
    this.known = known;
    if (parts) this.listener.parts(parts);
    if (events.length > 0) this.listener.events(events);
  }
}
