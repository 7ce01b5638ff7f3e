import { systemNamespace } from "../model/cluster-namespaces";
import type { ApiClient } from "../verify/api-client";
import { type LeaderName, leaderNames } from "../verify/health/cluster-state";

/** Each holder renews its lease every two seconds: a silence that is longer is a connection that has ended unnoticed. */
const SILENCE_MS = 3_000;
/** A watch begins with what is there already. One that does not may wait on a server that is gone. */
const FIRST_LINE_MS = 1_500;

/** Nodes, pods and the leases. */
const WATCHES = 2 + leaderNames.length;

const leasePath = (name: LeaderName): string =>
  `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases?watch=1&fieldSelector=metadata.name%3D${name}`;

/**
 * Watches Nodes, pods and the leases of leaders, and calls back when they may have changed. Ends when one of the watches ends: the
 * caller begins again.
 */
export async function followCluster(api: ApiClient, onChange: () => void, signal: AbortSignal): Promise<void> {
  const own = new AbortController();
  const end = (): void => own.abort();
  signal.addEventListener("abort", end, { once: true });
  let silence = setTimeout(end, SILENCE_MS);
  const heard = (): void => {
    clearTimeout(silence);
    silence = setTimeout(end, SILENCE_MS);
  };
  const late = setTimeout(end, FIRST_LINE_MS);
  const begun = new Set<string>();
  const follow = (path: string, onLine: (line: string) => void): Promise<void> =>
    api.stream(
      path,
      (line) => {
        if (begun.add(path).size === WATCHES) clearTimeout(late);
        onLine(line);
      },
      own.signal,
    );
  try {
    await Promise.race([
      follow("/api/v1/nodes?watch=1", onlyChanges(onChange)),
      follow("/api/v1/pods?watch=1", onlyChanges(onChange)),
      ...leaderNames.map((name) => {
        const note = holderChanges(onChange);
        return follow(leasePath(name), (line) => {
          heard();
          note(line);
        });
      }),
    ]);
  } finally {
    clearTimeout(silence);
    clearTimeout(late);
    signal.removeEventListener("abort", end);
    own.abort();
  }
}

/** A watch begins with what is there already, which is asked once by the caller: one callback for all of it does not cost much. */
const onlyChanges = (onChange: () => void) => (line: string) => {
  if (line !== "") onChange();
};

function holderChanges(onChange: () => void): (line: string) => void {
  let holder: string | undefined;
  return (line) => {
    const [, now = ""] = /"holderIdentity":"([^"]*)"/.exec(line) ?? [];
    if (now !== holder) onChange();
    holder = now;
  };
}
