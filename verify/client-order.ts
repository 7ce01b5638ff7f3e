import type { Sample } from "../model/contract-report";

/** One request that reads, over a new connection. */
export interface Question {
  /** `http:` or `https:` */
  readonly url: string;
  /** A response that is complete later counts as none. */
  readonly timeoutMs: number;
  /** Verifies the server's certificate; absent: it is not verified, because a client measures reachability. */
  readonly ca?: string;
  /** Of a good response; absent: any text. */
  readonly text?: string;
}

interface Repeated {
  readonly intervalMs: number;
}

/** What a client does until it is asked to stop. */
export type ClientOrder =
  | (Repeated & { readonly does: "read"; readonly question: Question })
  | (Repeated & { readonly does: "write"; readonly kubeconfig: string; readonly series: string });

/** The last message of a client. */
export interface ClientAnswer {
  /** On the clock that all processes of a host share. */
  readonly samples: readonly Sample[];
  /** Names of objects that the API acknowledged. */
  readonly acknowledged: readonly string[];
}

/** The second message to a client; the first one is its order. */
export const stopMessage = { stop: true } as const;

/** The first message of a client. */
export const begunMessage = { begun: true } as const;

/**
 * Milliseconds between the clock that all processes of a host share and `performance.now` of this process. Both are monotonic, so a host whose date
 * is set meanwhile does not move samples.
 */
export const sharedClockMs = (): number => Number(process.hrtime.bigint()) / 1e6 - performance.now();
