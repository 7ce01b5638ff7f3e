import { problemsOf } from "../picture/condition";
import type { CheckView, ViewState } from "../picture/state";
import { CheckPanels } from "./check-panels";
import { Commands } from "./commands";
import { clockTime } from "./event-log";
import { change, useStore } from "./store";

export function Panels() {
  const view = useStore((state) => state.view) as ViewState;
  return (
    <div class="panels">
      <Health view={view} />
      <CheckPanels view={view} />
      <Releases view={view} />
      <Pods view={view} />
      <Flows view={view} />
    </div>
  );
}

const isBad = ({ state }: CheckView): boolean => state === "unhealthy" || state === "unknown";

function Health({ view }: { view: ViewState }) {
  const { checks, askedAt } = view;
  const good = checks.filter((check) => check.state !== "inapplicable" && !isBad(check));
  const { problems, consequences, off } = problemsOf(view);
  return (
    <section aria-labelledby="health-title" class="panel health">
      <h2 id="health-title">
        Health <small>{askedAt === "" ? "asking…" : `all asked at ${clockTime(Date.parse(askedAt))}`}</small>
      </h2>
      {problems.map((check) => (
        <Problem key={check.check} check={check} />
      ))}
      {consequences.length > 0 && (
        <p class="quiet">
          {`${off.join(", ")} ${off.length === 1 ? "is" : "are"} off, so these checks have no complete answer: `}
          {`${consequences.map(({ check }) => check).join(", ")}.`}
        </p>
      )}
      {problems.length === 0 && askedAt !== "" && <p class="quiet">Nothing needs attention.</p>}
      <details>
        <summary>{`${good.length} healthy checks`}</summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">check</th>
                <th scope="col">observed</th>
              </tr>
            </thead>
            <tbody>
              {good.map(({ check, summary }) => (
                <tr key={check}>
                  <th scope="row">{check}</th>
                  <td>{summary}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
      <Certificates check={checks.find(({ check }) => check === "certificates")} />
    </section>
  );
}

function Problem({ check }: { check: CheckView }) {
  const { state, promised, summary, asks, means, next } = check;
  return (
    <div class="finding">
      <p>
        <strong>{check.check}</strong> is {state}
        {promised ? "" : " (not promised)"}: {summary}
      </p>
      <p class="quiet">{state === "unknown" ? `asked: ${asks}` : means}</p>
      <p>
        Next step: <Commands text={next} />
      </p>
    </div>
  );
}

const endOf = (observed: string): string => / on (\S+)/.exec(observed)?.[1] ?? "9999";

function Certificates({ check }: { check: CheckView | undefined }) {
  if (check === undefined || check.findings.length === 0) return null;
  const findings = [...check.findings].sort((one, other) => endOf(one.observed).localeCompare(endOf(other.observed)));
  return (
    <details>
      <summary>{`${findings.length} certificates, by their end`}</summary>
      <ul class="plain">
        {findings.map(({ of, observed, state }) => (
          <li key={`${of} ${observed}`} class={state}>
            <strong>{of}</strong> {observed}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Versions of the kubelet and images: during a roll they differ. */
function Releases({ view }: { view: ViewState }) {
  const { machines, cordoned, topology, unknown } = view;
  const versions = groups(machines.flatMap(({ name, kubernetes }) => (kubernetes ? [[kubernetes.version, name]] : [])));
  const images = groups(machines.flatMap(({ name, image }) => (image ? [[image, name]] : [])));
  return (
    <section aria-labelledby="releases-title" class="panel">
      <h2 id="releases-title">Releases</h2>
      <p>
        Planned: Kubernetes {topology.kubernetes}.{" "}
        {unknown.includes("nodes") ? "Whether a node is being drained is not known." : drained(cordoned)}
      </p>
      <ul class="plain">
        {[...versions, ...images].map(([version, names]) => (
          <li key={version}>
            <strong>{version}</strong> {names.length > 6 ? `${names.length} machines` : names.join(", ")}
          </li>
        ))}
      </ul>
    </section>
  );
}

const drained = (cordoned: readonly string[]): string =>
  cordoned.length > 0 ? `In progress: ${cordoned.join(", ")} gets no new pods.` : "No node is being drained.";

function groups(pairs: readonly (readonly string[])[]): readonly (readonly [string, readonly string[]])[] {
  const by = new Map<string, string[]>();
  for (const [key = "", name = ""] of pairs) by.set(key, [...(by.get(key) ?? []), name]);
  return [...by];
}

function Pods({ view: { pods, unknown, api } }: { view: ViewState }) {
  const nodes = groups(pods.map(({ node }) => [node || "not placed", ""]))
    .map(([node]) => node)
    .sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
  return (
    <section aria-labelledby="pods-title" class="panel">
      <h2 id="pods-title">
        Pods{" "}
        <small>
          {unknown.includes("pods")
            ? "not known"
            : `${pods.filter(({ ready }) => ready).length} of ${pods.length} ready`}
        </small>
      </h2>
      {unknown.includes("pods") && <p class="quiet">{`Not known: ${api.reason}.`}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
      <section class="log" tabIndex={0} aria-label="Pods by node">
        {nodes.map((node) => {
          const own = pods.filter((pod) => (pod.node || "not placed") === node);
          return (
            <details key={node}>
              <summary>{`${node}: ${own.length}`}</summary>
              <ul class="plain">
                {own.map(({ namespace, name, phase, ready }) => (
                  <li key={`${namespace}/${name}`} class={ready || phase === "Succeeded" ? "healthy" : "unhealthy"}>
                    {`${namespace}/${name}: ${ready ? "ready" : phase}`}
                  </li>
                ))}
              </ul>
            </details>
          );
        })}
      </section>
    </section>
  );
}

function Flows({ view: { topology } }: { view: ViewState }) {
  const chosen = useStore((state) => state.selected);
  return (
    <section aria-labelledby="flows-title" class="panel">
      <h2 id="flows-title">Flows as planned</h2>
      <ul class="plain">
        {topology.flows.map(({ purpose, from, to, port }) => (
          <li key={`${purpose} ${from} ${to}`}>
            <strong>{`${from === "host" ? "this host" : from} → ${to === "floating-ip" ? "floating IP" : to}`}</strong>{" "}
            {`${purpose}, port ${port}`}
          </li>
        ))}
      </ul>
      {chosen && (
        <button type="button" class="link" onClick={() => change({ selected: undefined })}>
          {`Close the details of ${chosen}`}
        </button>
      )}
    </section>
  );
}
