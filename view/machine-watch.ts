import type { Question } from "../verify/health/questions";
import { pause } from "./pace";
import { Silence } from "./silence";

/** A machine gives a sign of life every 0.4 s (cloud-init/scripts/health/watch.sh). */
export const SILENT_MS = 900;
/** The first sign needs a connection. */
const CONNECT_MS = 3_000;
/** A connection without a sign for so long is given up: a lost one would be noticed much later. */
const GIVE_UP_MS = 1_500;
/** A host whose processors are saturated needs longer for a new one. */
const MOST_PATIENCE_MS = 6_000;
const RETRY_MS = 300;

export interface WatchedMachine {
  isRunning(): boolean;
  /** Calls back with each sign of life, and the question that may have another answer. Ends with the connection or the signal. */
  follow(onSign: (question?: Question) => void, signal: AbortSignal): Promise<void>;
  onChange(question: Question): void;
  onSilent(): void;
  /** @param isSame over the connection that was silent, which has lost nothing */
  onHeard(isSame: boolean): void;
  /** The next attempt must open a new connection. */
  forget(): void;
}

/** Follows one machine over as many connections as it takes. */
export class MachineWatch {
  private readonly silence: Silence;
  private attempt = new AbortController();
  private isHeard = false;
  private isSame = false;
  private patienceMs = GIVE_UP_MS;

  constructor(private readonly machine: WatchedMachine) {
    this.silence = new Silence(SILENT_MS, {
      onSilent: () => machine.isRunning() && machine.onSilent(),
      onHeard: () => machine.onHeard(this.isSame),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    this.silence.expect(CONNECT_MS);
    while (!signal.aborted) {
      if (this.machine.isRunning()) await this.tryOnce(signal);
      await pause(RETRY_MS, signal);
    }
    this.silence.stop();
  }

  /** The machine was started or stopped: what is known of it begins again. */
  restart(): void {
    this.silence.begin();
    this.isSame = false;
    this.attempt.abort();
  }

  private async tryOnce(signal: AbortSignal): Promise<void> {
    const attempt = new AbortController();
    this.attempt = attempt;
    this.isHeard = false;
    const giveUp = (): void => attempt.abort();
    let limit = setTimeout(giveUp, this.patienceMs);
    const onSign = (question?: Question): void => {
      if (attempt.signal.aborted) return;
      clearTimeout(limit);
      limit = setTimeout(giveUp, GIVE_UP_MS);
      this.sign(question);
    };
    await this.machine.follow(onSign, AbortSignal.any([signal, attempt.signal])).catch(() => undefined);
    clearTimeout(limit);
    if (attempt.signal.aborted) this.machine.forget();
    this.patienceMs = this.isHeard ? GIVE_UP_MS : Math.min(MOST_PATIENCE_MS, this.patienceMs * 2);
  }

  private sign(question: Question | undefined): void {
    this.isSame = this.isHeard;
    this.isHeard = true;
    this.silence.heard();
    if (question !== undefined) this.machine.onChange(question);
  }
}
