import { isCommand, unitExplanations } from "../cloud-init/explanations/explain-file";
import { guestCommand } from "../model/guest-paths";
import { type Role, roles } from "../model/roles";
import { type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { faultsOf } from "../verify/faults/all";
import { type Explanation, filled, type Section } from "./explanation";
import { type FlowRow, flowsOfRole, isPlanned } from "./flows";
import { checksOfRole, failureSections } from "./health";
import { listed, onNode, onStack, type Subject } from "./subject";

const flowRow = ({ name, from, to, by, purpose }: FlowRow): readonly [string, string] => [
  name,
  `${from.join(", ")} → ${to.join(", ")} by ${by}: ${purpose}`,
];

const talksTo = (subject: Subject, set: readonly Role[]): Section => {
  const rows = [...new Map(set.flatMap(flowsOfRole).map((row) => [row.name, row])).values()];
  return { title: "Talks to", rows: rows.filter((row) => isPlanned(subject, row)).map(flowRow) };
};

/** What is not available while such a node is away. */
const lossOf = (subject: Subject, role: Role): string => {
  const { ofTheOnly, ofOneOfSeveral } = roles[role].loss;
  const nodes = nodesOf(subject.plan, role);
  return nodes.length > 1 ? `Until the others take over: ${ofOneOfSeveral}.` : `Until it is back: ${ofTheOnly}.`;
};

export function explainRole(subject: Subject, role: Role): Explanation {
  const { is, why, pool } = roles[role];
  const nodes = nodesOf(subject.plan, role);
  const [first] = nodes;
  const title = `In ${subject.plan.stack}`;
  const none: Section = { title, rows: [["machines", `none; the key pools.${pool}.count says how many`]] };
  return {
    ...{ kind: "role", name: role, is: `${is}.`, why },
    sections: first === undefined ? [none] : roleSections(subject, role, first, title),
  };
}

function roleSections(subject: Subject, role: Role, first: NodePlan, title: string): readonly Section[] {
  const nodes = nodesOf(subject.plan, role);
  return filled([
    {
      title,
      rows: [
        ["machines", nodes.map(({ name, address }) => `${name} (${address})`).join(", ")],
        ["segment", listed(nodes.flatMap(({ interfaces: [main] }) => main?.segment ?? []))],
        ["changed files", rolls[roles[role].roll]],
      ],
    },
    talksTo(subject, [role]),
    unitsSection(subject, first),
    { title: "See it", commands: aliveCommands(subject, first) },
    { title: "When one is away", text: lossOf(subject, role) },
    ...failureSections(
      subject,
      checksOfRole(role),
      faultsOf[role].map(({ name }) => name),
    ),
  ]);
}

const rolls = {
  first: "arrive before those of all other nodes",
  "in-turn": "arrive on one node after the other",
  together: "arrive on all nodes at once",
} as const;

export function explainNode(subject: Subject, node: NodePlan): Explanation {
  const checks = [...new Set(node.roles.flatMap(checksOfRole))];
  const faultNames = node.roles.flatMap((role) => faultsOf[role].map(({ name }) => name));
  const [primary] = node.roles;
  return {
    kind: "node",
    name: node.name,
    is: `${node.roles.map((role) => `${role}: ${roles[role].is}`).join("; ")}.`,
    ...(primary && { why: roles[primary].why }),
    sections: filled([
      {
        title: "Planned as",
        rows: [
          ["name", node.fqdn],
          ...node.interfaces.map(
            ({ segment, address, prefixLength, mac }) => [segment, `${address}/${prefixLength}, ${mac}`] as const,
          ),
          [
            "machine",
            `${node.cpus} processor${node.cpus === 1 ? "" : "s"}, ${node.memoryMiB} MiB memory, ${node.diskGiB} GiB disk`,
          ],
          ...node.dataDisks.map(
            ({ name, sizeGiB, mountPoint }) => ["data disk", `${name}, ${sizeGiB} GiB at ${mountPoint}`] as const,
          ),
        ],
      },
      talksTo(subject, node.roles),
      unitsSection(subject, node),
      filesSection(subject, node),
      { title: "See it", commands: aliveCommands(subject, node) },
      { title: "When it is away", text: node.roles.map((role) => lossOf(subject, role)).join(" ") },
      ...failureSections(subject, checks, faultNames),
    ]),
  };
}

const aliveCommands = (subject: Subject, { name }: NodePlan): readonly string[] => [
  onStack(subject, "status"),
  onNode(subject, name, guestCommand("node-ready")),
  onStack(subject, `logs ${name}`),
];

/** Units that a node's target wants. */
export function unitsOf({ files }: Subject, node: NodePlan): readonly string[] {
  const found = files.find((each) => each.node === node && each.file.path.endsWith("/groundplane.target"));
  const text = found && "content" in found.file ? found.file.content : "";
  return (/^Wants=(.*)$/m.exec(text)?.[1] ?? "").split(" ").filter((unit) => unit !== "");
}

const unitsSection = (subject: Subject, node: NodePlan): Section => ({
  title: `Runs on ${node.name}`,
  rows: unitsOf(subject, node).map((unit) => [unit, unitExplanations[unit]?.why ?? ""] as const),
});

function filesSection({ files }: Subject, node: NodePlan): Section {
  const own = files.filter((each) => each.node === node).map(({ file }) => file.path);
  const commands = own.filter(isCommand);
  const others = own.filter((path) => !isCommand(path));
  return {
    title: "Has these files of groundplane",
    text: `${others.join("\n")}\nand ${commands.length} commands in ${guestCommand("node-ready").replace("/node-ready", "")}: ${listed(
      commands.map((path) => path.split("/").at(-1) ?? ""),
      99,
    )}`,
  };
}
