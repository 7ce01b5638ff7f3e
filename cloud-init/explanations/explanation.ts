import type { HealthCheckName } from "../../model/health-checks";

/** A note about the lines that begin with a text, up to the next lines with a note. */
export type Stanzas = Readonly<Record<string, string>>;

/** Why a file is on a machine; its text says the rest. */
export interface FileExplanation {
  readonly why: string;
  /** The unit that reads it; it shows whether the file works. */
  readonly unit?: string;
  /** What shows it, where no unit reads it: a command on the machine. */
  readonly shown?: string;
  /** Of a text: each of its parts. A file of systemd has those of all units. */
  readonly stanzas?: Stanzas;
}

/** A unit of systemd that a machine runs for one of its roles. */
export interface UnitExplanation {
  /** Why it runs, and what depends on it. */
  readonly why: string;
  /** A command on the machine that shows its work. Default: its state in systemd. */
  readonly shown?: string;
  /** Why the image of a system container masks it. */
  readonly masked?: string;
  /** Health checks that fail with it. */
  readonly checks: readonly HealthCheckName[];
  /** Faults of `verify` that hit it. */
  readonly faults?: readonly string[];
}
