import { withoutCredentials } from "../model/user-error";

export interface ProgressOutput {
  write(text: string): void;
  /** Whether the output is a terminal, which can overwrite a line. */
  readonly isTerminal: boolean;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

/** The duration of one phase. */
export interface PhaseTime {
  readonly phase: string;
  readonly seconds: number;
}

const PHASE_WIDTH = 14;
/** Minimum interval between temporary messages without a terminal, so that logs stay short. */
const STATUS_PAUSE_MS = 5_000;
const CLEAR_LINE = "\r\u001b[2K";

/** Shows the progress of an operation: the elapsed time, the phase and its current step. */
export class ProgressLines {
  readonly times: PhaseTime[] = [];
  private readonly started: number;
  private phase = "";
  private lastStatusAt = Number.NEGATIVE_INFINITY;
  private hasStatus = false;

  constructor(private readonly output: ProgressOutput) {
    this.started = output.now();
  }

  /** Runs one phase and records its duration, even if it fails. */
  async during<T>(phase: string, action: () => Promise<T>): Promise<T> {
    const begun = this.output.now();
    this.phase = phase;
    try {
      return await action();
    } finally {
      this.clearStatus();
      this.times.push({ phase, seconds: (this.output.now() - begun) / 1000 });
    }
  }

  /** A permanent message. */
  note(message: string): void {
    this.clearStatus();
    this.output.write(`${this.line(message)}\n`);
  }

  /** A temporary message that the next one can replace. */
  status(message: string): void {
    if (this.output.isTerminal) {
      this.output.write(`${CLEAR_LINE}${this.line(message).slice(0, 110)}`);
      this.hasStatus = true;
      return;
    }
    if (this.output.now() - this.lastStatusAt < STATUS_PAUSE_MS) return;
    this.lastStatusAt = this.output.now();
    this.output.write(`${this.line(message)}\n`);
  }

  private clearStatus(): void {
    if (this.hasStatus) this.output.write(CLEAR_LINE);
    this.hasStatus = false;
  }

  private line(message: string): string {
    return `${formatElapsed(this.output.now() - this.started)}  ${this.phase.padEnd(PHASE_WIDTH)} ${withoutCredentials(message)}`;
  }
}

/** Minutes and seconds, right-aligned: `  0:07`, ` 12:30`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`.padStart(6);
}
