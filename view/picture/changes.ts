import {
  type EventKind,
  leaderships,
  type Observed,
  type Shown,
  type Unknown,
  type ViewEvent,
  type ViewState,
} from "./state";

/** The parts of what was observed that differ; `undefined` if none does. */
export function changedParts(before: Observed | undefined, after: Observed): Partial<Observed> | undefined {
  const names = Object.keys(after) as (keyof Observed)[];
  const changed = names.filter((name) => before === undefined || !isEqual(before[name], after[name]));
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((name) => [name, after[name]]));
}

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A state with those parts replaced. */
export const withParts = (state: ViewState, parts: Partial<Shown>): ViewState => ({ ...state, ...parts });

/** So many events are kept. */
export const MOST_EVENTS = 300;

export const withEvents = (state: ViewState, events: readonly ViewEvent[]): ViewState => ({
  ...state,
  events: [...state.events, ...events].slice(-MOST_EVENTS),
});

/** What is not known now as it was known last. That something is not known is no news, and neither is that it is known again. */
export function withLastKnown(before: Observed | undefined, now: Observed): Observed {
  if (before === undefined) return now;
  const isUnknown = (what: Unknown): boolean => now.unknown.includes(what);
  const leaders = Object.fromEntries(
    leaderships.flatMap((name) => {
      const leader = (isUnknown(name) ? before : now).leaders[name];
      return leader === undefined ? [] : [[name, leader]];
    }),
  );
  return {
    ...now,
    holders: isUnknown("floating-ip") ? before.holders : now.holders,
    leaders,
    cordoned: isUnknown("nodes") ? before.cordoned : now.cordoned,
    checks: now.checks.map((row) =>
      row.state === "unknown" ? (before.checks.find(({ check }) => check === row.check) ?? row) : row,
    ),
  };
}

/** What happened between two observations. */
export function eventsBetween(before: Observed | undefined, after: Observed, atMs: number): readonly ViewEvent[] {
  // The first observation is no news.
  if (before === undefined || before.askedAt === "") return [];
  const event = (kind: EventKind, of: string, text: string): ViewEvent => ({ atMs, kind, of, text });
  return [
    ...powerEvents(before, after, event),
    ...holderEvents(before, after, event),
    ...leaderEvents(before, after, event),
    ...cordonEvents(before, after, event),
    ...checkEvents(before, after, event),
  ];
}

type MakeEvent = (kind: EventKind, of: string, text: string) => ViewEvent;

function powerEvents(before: Observed, after: Observed, event: MakeEvent): readonly ViewEvent[] {
  return after.machines.flatMap(({ name, power, image }) => {
    const former = before.machines.find((machine) => machine.name === name);
    if (former === undefined) return [];
    const power_ =
      former.power === power
        ? []
        : [power === "running" ? event("repair", name, "runs again") : event("fault", name, `is ${power}`)];
    const isOther = former.image !== undefined && image !== undefined && former.image !== image;
    return [...power_, ...(isOther ? [event("deploy", name, `has the image ${image}`)] : [])];
  });
}

function holderEvents(before: Observed, after: Observed, event: MakeEvent): readonly ViewEvent[] {
  const [one, other] = [before.holders.join(" and "), after.holders.join(" and ")];
  if (one === other) return [];
  if (other === "") return [event("fault", "floating IP", `${one} no longer holds it`)];
  return [event("failover", "floating IP", one === "" ? `${other} holds it` : `moves from ${one} to ${other}`)];
}

const leaderEvents = (before: Observed, after: Observed, event: MakeEvent): readonly ViewEvent[] =>
  leaderships.flatMap((name) => {
    const [one, other] = [before.leaders[name], after.leaders[name]];
    if (one === other) return [];
    if (other === undefined) return [event("fault", name, `${one} no longer leads`)];
    return [event("election", name, one === undefined ? `${other} leads` : `${other} leads, before: ${one}`)];
  });

function cordonEvents(before: Observed, after: Observed, event: MakeEvent): readonly ViewEvent[] {
  const added = after.cordoned.filter((name) => !before.cordoned.includes(name));
  const removed = before.cordoned.filter((name) => !after.cordoned.includes(name));
  return [
    ...added.map((name) => event("deploy", name, "is drained: no new pods")),
    ...removed.map((name) => event("deploy", name, "gets pods again")),
  ];
}

function checkEvents(before: Observed, after: Observed, event: MakeEvent): readonly ViewEvent[] {
  return after.checks.flatMap(({ check, state, summary }) => {
    const former = before.checks.find((row) => row.check === check)?.state;
    // Machines, the floating IP and leaders have events of their own.
    if (former === undefined || former === state || ["power", "floating-ip"].includes(check)) return [];
    if (state === "unhealthy") return [event("health", check, `is unhealthy: ${summary}`)];
    return state === "healthy" && former === "unhealthy" ? [event("repair", check, "is healthy again")] : [];
  });
}
