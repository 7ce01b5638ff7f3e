import type { ViewState } from "../picture/state";
import { useStore } from "./store";

const SHOWN = 60;

export const clockTime = (atMs: number): string => new Date(atMs).toLocaleTimeString(undefined, { hour12: false });

export function EventLog() {
  const { events } = useStore((state) => state.view) as ViewState;
  const shown = events.slice(-SHOWN).reverse();
  return (
    <section aria-labelledby="events-title" class="panel">
      <h2 id="events-title">Events</h2>
      {shown.length === 0 && <p class="quiet">None since the page was opened.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <div class="log" role="log" tabIndex={0} aria-label="Events, newest first">
        <ol class="events">
          {shown.map(({ atMs, kind, of, text }) => (
            <li key={`${atMs} ${of} ${text}`} class={kind}>
              <time dateTime={new Date(atMs).toISOString()}>{clockTime(atMs)}</time> <strong>{of}</strong> {text}
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
