import { problemsOf } from "../picture/condition";
import type { ViewState } from "../picture/state";
import { Details } from "./details";
import { EventLog } from "./event-log";
import { LastFault } from "./fault-runs";
import { Panels } from "./panels";
import { useStore } from "./store";
import { ThemeSwitch } from "./theme";
import { TimeLine } from "./time-line";
import { TopologyPicture } from "./topology-picture";

export function App() {
  const view = useStore((state) => state.view);
  const connection = useStore((state) => state.connection);
  if (connection === "refused" && view === undefined) return <Refused />;
  if (view === undefined) return <p class="loading">Connecting…</p>;
  return (
    <>
      <Header view={view} isLost={connection !== "open"} />
      <main>
        <div class="wide">
          <TopologyPicture />
          <TimeLine />
          <Panels />
        </div>
        <aside aria-label="Details and events">
          <LastFault view={view} />
          <Details />
          <EventLog />
        </aside>
      </main>
    </>
  );
}

function Refused() {
  return (
    <main class="refused">
      <h1>groundplane</h1>
      <p>This address lacks its secret part, or belongs to a view that has ended.</p>
      <p>
        Open the address that <code>npx groundplane view</code> prints.
      </p>
    </main>
  );
}

function Header({ view, isLost }: { view: ViewState; isLost: boolean }) {
  const { topology, driver } = view;
  const { text, kind } = isLost ? { text: "no connection to the view", kind: "unknown" } : verdict(view);
  return (
    <header>
      <h1>
        {topology.stack} <small>{`on ${driver}, Kubernetes ${topology.kubernetes}`}</small>
      </h1>
      <p class={`verdict ${kind}`} role="status">
        {text}
      </p>
      <ThemeSwitch />
    </header>
  );
}

function verdict(view: ViewState): { readonly text: string; readonly kind: string } {
  if (view.askedAt === "") return { text: "asking…", kind: "unknown" };
  if (view.healthy) return { text: "✓ everything promised is healthy", kind: "healthy" };
  const { problems, off } = problemsOf(view);
  const names = problems.filter(({ promised, check }) => promised && check !== "power").map(({ check }) => check);
  const down = off.length > 0 ? [`${off.slice(0, 3).join(", ")}${off.length > 3 ? ", …" : ""} down`] : [];
  const shown = names.length > 4 ? [...names.slice(0, 4), "…"] : names;
  return { text: `! ${[...down, ...shown].join("; ")}`, kind: "unhealthy" };
}
