import { explanationOf, unitExplanations } from "../cloud-init/explanations/explain-file";
import { healthCheckNames, healthChecks } from "../model/health-checks";
import { roleNames, roles } from "../model/roles";
import { faults } from "../verify/faults/all";
import { explainCommand } from "./commands";
import { type Explanation, type Kind, kindNames } from "./explanation";
import { explainFault } from "./faults";
import { explainFile, explainUnit } from "./files";
import { explainFlow, flowRows } from "./flows";
import { explainCheck } from "./health";
import { configurationKeys, explainKey } from "./keys";
import { explainNode, explainRole } from "./machines";
import type { Subject } from "./subject";

/** Something that can be explained. */
export interface Topic {
  readonly kind: Kind;
  readonly name: string;
  /** For listings. */
  readonly title: string;
  /** Shorter names, which mean it where no other name is the same. */
  readonly aliases: readonly string[];
  explain(): Explanation;
}

type Row = Omit<Topic, "kind" | "aliases"> & { readonly aliases?: readonly string[] };

/** How the topics of each kind are found. */
const sources: Readonly<Record<Kind, (subject: Subject) => readonly Row[]>> = {
  role: (subject) =>
    roleNames.map((role) => ({ name: role, title: roles[role].is, explain: () => explainRole(subject, role) })),
  node: (subject) =>
    subject.plan.nodes.map((node) => ({
      name: node.name,
      title: `${node.roles.join(", ")} at ${node.address}`,
      aliases: [node.fqdn, node.address],
      explain: () => explainNode(subject, node),
    })),
  unit: (subject) =>
    Object.entries(unitExplanations).map(([unit, { why }]) => ({
      name: unit,
      title: why,
      aliases: [unit.replace(/\.\w+$/, ""), unit.replace(/^groundplane-|\.\w+$/g, "")],
      explain: () => explainUnit(subject, unit),
    })),
  file: fileRows,
  flow: (subject) =>
    flowRows.map((row) => ({
      name: row.name,
      title: `${row.from.join(", ")} → ${row.to.join(", ")} by ${row.by}: ${row.purpose}`,
      explain: () => explainFlow(subject, row),
    })),
  fault: (subject) =>
    faults.map((fault) => ({ name: fault.name, title: fault.what, explain: () => explainFault(subject, fault) })),
  check: (subject) =>
    healthCheckNames.map((name) => ({
      name,
      title: healthChecks[name].asks,
      explain: () => explainCheck(subject, name),
    })),
  key: (subject) =>
    [...configurationKeys].map(([path, { description = "" }]) => ({
      name: path,
      title: description,
      aliases: [path.replaceAll("[]", "")],
      explain: () => explainKey(subject, path),
    })),
  command: (subject) =>
    subject.commands.map((command) => ({
      name: command.name,
      title: command.description,
      explain: () => explainCommand(subject, command),
    })),
};

/** Each path once, for the first machine that has it; `NODE:PATH` is the file of a certain one. */
function fileRows(subject: Subject): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const placed of subject.files) {
    const { path } = placed.file;
    const [present, name] = [rows.get(path), `${placed.node.name}:${path}`];
    const own: Row = {
      name: path,
      title: explanationOf(placed.file)?.why ?? "",
      aliases: [name, path.split("/").at(-1) ?? ""],
      explain: () => explainFile(subject, placed),
    };
    if (present === undefined) rows.set(path, own);
    else rows.set(name, { ...own, name, aliases: [] });
  }
  return [...rows.values()];
}

export const topicsOf = (subject: Subject): readonly Topic[] =>
  kindNames.flatMap((kind) => sources[kind](subject).map((row) => ({ aliases: [], ...row, kind })));

/** A key that the workers have as well. */
const isOfOtherPool = (name: string): boolean =>
  /^pools\.(?!workers\.)\w+\.(?:cpus|memoryMiB|diskGiB|volumes|disks)\b/.test(name);

/** Whether a topic is in listings: a file that several machines have is there once, and so is a key of every pool. */
export const isListed = ({ kind, name }: Topic): boolean =>
  kind === "file" ? name.startsWith("/") : kind !== "key" || !isOfOtherPool(name);
