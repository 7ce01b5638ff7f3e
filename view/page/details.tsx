import { conditionOf, conditions, dutiesOf, findingsOf } from "../picture/condition";
import type { MachineBox, ViewState } from "../picture/state";
import { BreakIt } from "./break-it";
import { Commands } from "./commands";
import { Journal } from "./journal";
import { change, useStore } from "./store";

export function Details() {
  const view = useStore((state) => state.view) as ViewState;
  const selected = useStore((state) => state.selected);
  const machine = view.topology.machines.find(({ name }) => name === selected);
  return (
    <section aria-labelledby="details-title" class="panel details">
      {machine ? <MachineDetails key={machine.name} machine={machine} view={view} /> : <StackDetails view={view} />}
    </section>
  );
}

/** What is true of the whole stack, while no machine is chosen. */
function StackDetails({ view }: { view: ViewState }) {
  const { topology, holders, leaders, api, unknown } = view;
  const none = unknown.includes("floating-ip") ? "a machine that is not known" : "no machine";
  const rows: readonly (readonly [string, string])[] = [
    ["API", `${api.endpoint} ${api.ready ? "answers" : `does not answer: ${api.reason}`}`],
    ["floating IP", `${topology.floatingIp}, held by ${holders.join(" and ") || none}`],
    ["moved by", topology.movedBy === "static" ? "nothing: there is one balancer" : topology.movedBy],
    ["etcd", leaders.etcd ? `${leaders.etcd} leads` : "no leader is known"],
    ["scheduler", leaders["kube-scheduler"] ? `${leaders["kube-scheduler"]} leads` : "no leader is known"],
    [
      "controllers",
      leaders["kube-controller-manager"] ? `${leaders["kube-controller-manager"]} leads` : "no leader is known",
    ],
  ];
  return (
    <>
      <h2 id="details-title">{topology.domain}</h2>
      <Facts rows={rows} />
      <p class="quiet">Choose a machine for its details, and for what can be broken on it.</p>
      <BreakIt view={view} />
    </>
  );
}

function MachineDetails({ machine, view }: { machine: MachineBox; view: ViewState }) {
  const { name, roles, address, cpus, memoryMiB, disks } = machine;
  const condition = conditionOf(view, machine);
  const now = view.machines.find((each) => each.name === name);
  const found = findingsOf(view, name);
  const pods = view.pods.filter((pod) => pod.node === name);
  const rows: readonly (readonly [string, string])[] = [
    ["state", `${conditions[condition].sign} ${conditions[condition].word}`],
    ["roles", roles.join(", ")],
    ["duty", dutiesOf(view, name).join(", ") || "no special duty"],
    ["address", address],
    ["size", `${cpus} CPUs, ${memoryMiB} MiB`],
    ...(disks.length > 0 ? [["disks", disks.join("; ")] as const] : []),
    ...(now?.kubernetes
      ? [["Node", `${now.kubernetes.version}, ${now.kubernetes.ready ? "Ready" : "not Ready"}`] as const]
      : []),
    ...(pods.length > 0
      ? [["pods", `${pods.filter(({ ready }) => ready).length} of ${pods.length} ready`] as const]
      : []),
    ...(now?.image ? [["image", now.image] as const] : []),
  ];
  return (
    <>
      <h2 id="details-title">
        {name}{" "}
        <button
          type="button"
          class="close"
          aria-label={`Close the details of ${name}`}
          onClick={() => change({ selected: undefined })}
        >
          ✕
        </button>
      </h2>
      <Facts rows={rows} />
      {found.map(({ check, observed }) => (
        <div key={`${check.check} ${observed}`} class="finding">
          <p>
            <strong>{check.check}</strong> {observed}
          </p>
          <p class="quiet">{check.means}</p>
          <p>
            Next step: <Commands text={check.next} />
          </p>
        </div>
      ))}
      <Journal node={name} />
      <BreakIt view={view} machine={name} />
    </>
  );
}

export function Facts({ rows }: { rows: readonly (readonly [string, string])[] }) {
  return (
    <dl>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
