import { useEffect, useState } from "preact/hooks";
import { withEvents, withParts } from "../picture/changes";
import type { ProbeSample, Shown, ViewEvent, ViewState } from "../picture/state";

export type Connection = "connecting" | "open" | "lost" | "refused";

export interface PageState {
  readonly view: ViewState | undefined;
  readonly samples: readonly ProbeSample[];
  readonly connection: Connection;
  /** The machine whose details are shown. */
  readonly selected: string | undefined;
}

/** Ten minutes can be exported. */
const KEPT_SAMPLES = 18_000;

let state: PageState = { view: undefined, samples: [], connection: "connecting", selected: undefined };
const listeners = new Set<() => void>();

export function change(part: Partial<PageState>): void {
  state = { ...state, ...part };
  for (const listen of listeners) listen();
}

export const current = (): PageState => state;

/** A part of the state. The component is drawn again when the part is another one. */
export function useStore<T>(select: (state: PageState) => T): T {
  const [, redraw] = useState({});
  const value = select(state);
  useEffect(() => {
    let last = value;
    const listen = (): void => {
      const next = select(state);
      if (next === last) return;
      last = next;
      redraw({});
    };
    listeners.add(listen);
    listen();
    return () => void listeners.delete(listen);
  }, []);
  return value;
}

interface First {
  readonly state: ViewState;
  readonly samples: readonly ProbeSample[];
}

/** What the server sends, by the name of the event. */
const received: Readonly<Record<string, (data: never) => void>> = {
  state: ({ state: view, samples }: First) => change({ view, connection: "open", samples: joined(samples) }),
  parts: (parts: Partial<Shown>) => change({ view: state.view && withParts(state.view, parts) }),
  events: (events: readonly ViewEvent[]) => change({ view: state.view && withEvents(state.view, events) }),
  samples: (samples: readonly ProbeSample[]) => change({ samples: joined(samples) }),
};

export function receive(event: string, text: string): void {
  received[event]?.(JSON.parse(text) as never);
}

/** After a lost connection, the server sends again what is known already. */
function joined(samples: readonly ProbeSample[]): readonly ProbeSample[] {
  const first = samples[0]?.atMs ?? Number.POSITIVE_INFINITY;
  return [...state.samples.filter(({ atMs }) => atMs < first), ...samples].slice(-KEPT_SAMPLES);
}
