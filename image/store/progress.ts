/** What a build tells while it works. */
export interface Progress {
  /** What is being made, e.g. `root tree`. */
  readonly phase: string;
  /** One line about what happens right now. */
  readonly message: string;
  /** 0 to 1 where it is known. */
  readonly fraction?: number;
}

export type OnProgress = (progress: Progress) => void;

/** What every step of a build gets. */
export interface BuildContext {
  readonly progress: OnProgress;
  readonly signal?: AbortSignal;
}
