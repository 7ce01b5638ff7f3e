import { useState } from "preact/hooks";
import { describeRun } from "../picture/faults";
import type { FaultRun, ViewState } from "../picture/state";
import { Commands } from "./commands";
import { sendOrder } from "./connection";
import { clockTime } from "./event-log";

/** The last fault of this view: what it does now, or what was measured. */
export function LastFault({ view: { runs } }: { view: ViewState }) {
  const run = runs.at(-1);
  if (run === undefined) return null;
  const { fault, machine, askedMs, brokenMs, phase } = run;
  const target = machine === undefined ? "" : ` on ${machine}`;
  return (
    <section aria-labelledby="last-fault-title" class="panel last-fault" data-phase={phase}>
      <h2 id="last-fault-title">
        {`${fault}${target}`} <small>{`at ${clockTime(brokenMs ?? askedMs)}`}</small>
      </h2>
      <p role="status" class={run.failed !== "" || run.figures.some(({ met }) => !met) ? "unhealthy" : ""}>
        <Commands text={describeRun(run)} />
      </p>
      {run.figures.length > 0 && <Figures run={run} />}
      {phase !== "ended" && <EndNow key={askedMs} run={run} />}
    </section>
  );
}

function Figures({ run: { figures } }: { run: FaultRun }) {
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">measure</th>
          <th scope="col">measured</th>
          <th scope="col">expected</th>
        </tr>
      </thead>
      <tbody>
        {figures.map(({ what, expected, measured, met }) => (
          <tr key={what}>
            <th scope="row">{what}</th>
            <td class={met ? "met" : "missed"}>{`${met ? "✓" : "✕"} ${measured}`}</td>
            <td>{expected}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function EndNow({ run: { fault } }: { run: FaultRun }) {
  const [said, setSaid] = useState("");
  const end = async (): Promise<void> => setSaid((await sendOrder("/faults/end", { fault })) ?? "It ends.");
  return (
    <p class="buttons">
      <button type="button" onClick={() => void end()}>
        End now and put everything back
      </button>{" "}
      {said}
    </p>
  );
}
