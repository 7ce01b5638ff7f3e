import { checkPanels, findingsByMachine, plannedCapacity, rowsOf } from "../picture/check-panels";
import type { CheckView, ViewState } from "../picture/state";
import { Commands } from "./commands";

/** Rows of the table of health checks that a reader looks for by their subject, whether or not they are healthy. */
export function CheckPanels({ view }: { view: ViewState }) {
  return (
    <>
      {Object.entries(checkPanels).map(([name, panel]) => {
        const rows = rowsOf(view, panel);
        return (
          <section key={name} aria-labelledby={`${name}-title`} class={`panel ${name}`}>
            <h2 id={`${name}-title`}>{panel.title}</h2>
            {name === "capacity" && <p>{plannedCapacity(view)}</p>}
            {rows.map((row) => (
              <Row key={row.check} row={row} />
            ))}
            {rows.length === 0 && (
              <p class="quiet">
                {view.askedAt === "" ? "Asking…" : <Commands text={noneOf(view, name, panel.none)} />}
              </p>
            )}
          </section>
        );
      })}
    </>
  );
}

/** A stack with storage whose volume was not asked has one nevertheless. */
const noneOf = ({ topology }: ViewState, name: string, none: string): string =>
  name === "volume" && topology.hasVolume ? "The volume has not been asked." : none;

function Row({ row }: { row: CheckView }) {
  return (
    <details open={row.state !== "healthy"}>
      <summary>
        <strong>{row.check}</strong> {row.state}: {row.summary}
      </summary>
      <dl>
        {findingsByMachine(row).map(([of, findings]) => (
          <div key={of}>
            <dt>{of}</dt>
            {findings.map(({ observed, state }) => (
              <dd key={observed} class={state}>
                {observed}
              </dd>
            ))}
          </div>
        ))}
      </dl>
    </details>
  );
}
