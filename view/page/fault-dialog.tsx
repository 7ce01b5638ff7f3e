import { useEffect, useRef, useState } from "preact/hooks";
import { expectationOf, machinesOf } from "../picture/faults";
import type { FaultOrder, OfferedFault, ViewState } from "../picture/state";
import { sendOrder } from "./connection";

interface Props {
  readonly fault: OfferedFault;
  readonly order: FaultOrder;
  readonly view: ViewState;
  readonly onClose: () => void;
}

/** Asks once. The browser keeps the focus inside, closes it with Escape, and returns the focus to the button. */
export function FaultDialog({ fault, order, view, onClose }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => box.current?.showModal(), []);
  const inject = async (): Promise<void> => {
    const refused = await sendOrder("/faults", order);
    if (refused === undefined) box.current?.close();
    else setProblem(refused);
  };
  return (
    <dialog ref={box} class="fault-dialog" aria-labelledby="fault-title" onClose={onClose}>
      <h2 id="fault-title">{`Inject ${fault.name}?`}</h2>
      <h3>What will happen</h3>
      <p>{sentence(whatHappens(fault, order, view))}</p>
      <p class="quiet">{fault.does}</p>
      <Expected fault={fault} view={view} />
      <h3>What is put back</h3>
      <p>
        All machines are started and all links are connected, until every check of the stack is healthy. What the
        measurement wrote is removed. This also happens when the page is closed or the view ends.
      </p>
      {problem !== "" && (
        <p class="unhealthy" role="alert">
          {sentence(problem)}
        </p>
      )}
      <p class="buttons">
        <button type="button" onClick={() => box.current?.close()}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={() => void inject()}>
          {`Inject ${fault.name}`}
        </button>
      </p>
    </dialog>
  );
}

const sentence = (text: string): string => `${text[0]?.toUpperCase()}${text.slice(1).replace(/\.?$/, ".")}`;

/** A fault that hits several machines in turn hits the chosen one alone. */
function whatHappens(fault: OfferedFault, { machine }: FaultOrder, view: ViewState): string {
  const now = machinesOf(view, fault);
  if (machine !== undefined) return `${fault.what}: here only ${machine}`;
  return fault.breaks === "stack" ? fault.what : `${fault.what}: now ${now.join(" and ") || "not known"}`;
}

function Expected({ fault, view }: Pick<Props, "fault" | "view">) {
  const { figures, origin } = expectationOf(view, fault);
  return (
    <>
      <h3>What is expected</h3>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">measure</th>
            <th scope="col">expected</th>
            <th scope="col">measured last</th>
          </tr>
        </thead>
        <tbody>
          {figures.map(({ what, expected, measured }) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td>{expected}</td>
              <td>{measured || "not measured"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">{origin === "" ? "This fault has no recorded figures." : `Measured last: ${origin}.`}</p>
    </>
  );
}
