import {
  annotate,
  explanationOf,
  isCommand,
  stanzasOf,
  unitExplanations,
  unitOfFile,
} from "../cloud-init/explanations/explain-file";
import type { SeedFile } from "../cloud-init/role-content";
import { containerRuntimes } from "../model/container-runtimes";
import { imageKindOf } from "../model/roles";
import { type Explanation, filled, type Section } from "./explanation";
import { failureSections } from "./health";
import { listed, onNode, type PlacedFile, type Subject } from "./subject";

/** The commands that show on a machine whether a unit works. */
const shownBy = (unit: string): string => unitExplanations[unit]?.shown ?? `systemctl status ${unit}`;

/** How a unit is seen on machines that have it: images of system containers mask some. */
function seen(subject: Subject, unit: string | undefined, commands: readonly string[]): Section {
  const masked = unit === undefined ? undefined : unitExplanations[unit]?.masked;
  if (masked === undefined) return { title: "See it", commands };
  return {
    title: "See it",
    text: `Not in system containers, whose image masks ${unit}. ${masked}`,
    commands: subject.isInContainers ? [] : commands,
  };
}

export function explainFile(subject: Subject, { node, file }: PlacedFile): Explanation {
  const explanation = explanationOf(file);
  const others = subject.files.filter((each) => each.file.path === file.path).map((each) => each.node.name);
  const unit = explanation?.unit;
  const { checks = [], faults = [] } = (unit === undefined ? undefined : unitExplanations[unit]) ?? {};
  return {
    kind: "file",
    name: file.path,
    is: kindOfFile(file),
    ...(explanation && { why: explanation.why }),
    sections: filled([
      {
        title: "On the machine",
        rows: [
          ["machines", listed(others, 12)],
          ["mode", `${file.mode}, ${file.owner ?? "root:root"}`],
          ...(unit === undefined ? [] : ([["read by", unit]] as const)),
          ["a change", changeOf(file)],
        ],
      },
      textSection(node.name, file),
      seen(subject, unit, [onNode(subject, node.name, explanation?.shown ?? shownBy(unit ?? "groundplane.target"))]),
      ...failureSections(subject, checks, faults),
    ]),
  };
}

function kindOfFile(file: SeedFile): string {
  if (isCommand(file.path)) return "A command that groundplane runs on the machine.";
  return "secret" in file
    ? "A file with a value of the stack's state."
    : "A file that groundplane renders from the plan.";
}

function changeOf(file: SeedFile): string {
  if (!("changes" in file) || !file.changes) return "reaches only a machine that is created again";
  return file.changes.reload === ""
    ? "is written to the running machine"
    : `is written and applied with \`${file.changes.reload}\``;
}

/** The text as it is rendered for the stack. What is a secret stays a reference. */
function textSection(node: string, file: SeedFile): Section {
  const title = `As rendered for ${node}`;
  if ("secret" in file)
    return { title, text: `The content is the value ${file.secret} of the stack's state. It is never shown.` };
  const stanzas = stanzasOf(file);
  if (stanzas) return { title, parts: annotate(file.content, stanzas) };
  return { title, parts: [{ lines: file.content.trimEnd().split("\n") }] };
}

export function explainUnit(subject: Subject, unit: string): Explanation {
  const explanation = unitExplanations[unit];
  const placed = subject.files.filter(
    ({ file }) =>
      unitOfFile(file.path) === unit || explanationOf(file)?.unit === unit || file.path.includes(`/${unit}.d/`),
  );
  const wanting = subject.files.filter(
    ({ file }) => file.path.endsWith("/groundplane.target") && "content" in file && file.content.includes(unit),
  );
  const nodes = nodesWith(subject, unit, wanting.length > 0 ? wanting : placed);
  const definition = placed.find(({ file }) => unitOfFile(file.path) === unit);
  const text = definition && "content" in definition.file ? definition.file.content : "";
  const paths = [...new Set(placed.map(({ file }) => file.path))];
  return {
    kind: "unit",
    name: unit,
    is: `${/^Description=(.*)$/m.exec(text)?.[1] ?? (nodes.length > 0 ? "A unit of a package or of the image" : "No machine of this stack has it")}.`,
    ...(explanation && { why: explanation.why }),
    sections: filled([
      {
        title: `In ${subject.plan.stack}`,
        rows: [
          ["machines", nodes.length === 0 ? "none" : listed(nodes, 12)],
          ...(paths.length === 0 ? [] : ([["files", paths.join(", ")]] as const)),
        ],
      },
      definition ? textSection(definition.node.name, definition.file) : undefined,
      nodes[0] === undefined
        ? undefined
        : seen(subject, unit, [
            onNode(subject, nodes[0], shownBy(unit)),
            onNode(subject, nodes[0], `journalctl --boot --unit ${unit}`),
          ]),
      ...(nodes.length === 0 ? [] : failureSections(subject, explanation?.checks ?? [], explanation?.faults ?? [])),
    ]),
  };
}

/** Docker runs its containers with containerd. */
const dockerUnits: readonly string[] = [
  containerRuntimes.containerd.unit,
  "docker.service",
  containerRuntimes.docker.unit,
];

/** Units of images for nodes of the cluster are named by no file of a seed. */
function nodesWith({ plan }: Subject, unit: string, placed: readonly PlacedFile[]): readonly string[] {
  const ofImage = plan.kubernetes.runtime === "docker" ? dockerUnits : [containerRuntimes.containerd.unit];
  const nodes = ofImage.includes(unit)
    ? plan.nodes.filter(({ roles }) => imageKindOf(roles) === "kubernetes")
    : placed.map(({ node }) => node);
  return nodes.map(({ name }) => name);
}
