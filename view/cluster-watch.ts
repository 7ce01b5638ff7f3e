import { pause } from "./pace";
import type { StackSource } from "./stack-source";

const RETRY_MS = 1_000;

/** Follows the cluster over as many connections as it takes. */
export class ClusterWatch {
  private attempt = new AbortController();

  constructor(
    private readonly source: Pick<StackSource, "followCluster">,
    private readonly onChange: () => void,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const attempt = new AbortController();
      this.attempt = attempt;
      await this.source.followCluster(this.onChange, AbortSignal.any([signal, attempt.signal])).catch(() => undefined);
      this.onChange();
      // A restart is for a known reason, and comes once; a cluster that refuses is asked again and again.
      if (!attempt.signal.aborted) await pause(RETRY_MS, signal);
    }
  }

  /** A watch may wait on a connection that nothing answers any more. */
  restart(): void {
    this.attempt.abort();
  }
}
