import { useState } from "preact/hooks";
import { currentRun, faultsAt } from "../picture/faults";
import type { FaultOrder, OfferedFault, ViewState } from "../picture/state";
import { Commands } from "./commands";
import { FaultDialog } from "./fault-dialog";

/** The faults of `verify` that break a machine, or the stack as a whole. */
export function BreakIt({ view, machine }: { view: ViewState; machine?: string }) {
  const [asked, setAsked] = useState<OfferedFault | undefined>(undefined);
  const offered = faultsAt(view, machine);
  const running = currentRun(view);
  const order = (fault: OfferedFault): FaultOrder => ({
    fault: fault.name,
    ...(typeof fault.breaks !== "string" && machine !== undefined && { machine }),
  });
  return (
    <section class="break-it" aria-labelledby="break-title">
      <h3 id="break-title">{machine === undefined ? "Break the stack" : `Break ${machine}`}</h3>
      {view.faultsRefused !== "" ? (
        <p class="quiet refused-faults">
          <Commands text={view.faultsRefused} />
        </p>
      ) : (
        <>
          {offered.length === 0 && <p class="quiet">{noneOf(view, machine)}</p>}
          <ul class="faults">
            {offered.map((fault) => (
              <li key={fault.name}>
                <button
                  type="button"
                  disabled={running !== undefined}
                  aria-describedby={`what-${fault.name}`}
                  onClick={() => setAsked(fault)}
                >
                  {`${fault.name}…`}
                </button>
                <p class="quiet" id={`what-${fault.name}`}>
                  {fault.what}
                </p>
              </li>
            ))}
          </ul>
          {running && <p class="quiet">{`${running.fault} has not ended: only one fault at a time.`}</p>}
        </>
      )}
      {asked && <FaultDialog fault={asked} order={order(asked)} view={view} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

function noneOf({ faults, holders }: ViewState, machine: string | undefined): string {
  if (machine === undefined) return "Choose a machine: faults break one of them.";
  const [holder] = holders;
  return holder !== undefined && holder !== machine && faults.some(({ breaks }) => breaks === "holder")
    ? `No fault breaks it now. Those of the floating IP break its holder, ${holder}.`
    : "No fault breaks it alone.";
}
