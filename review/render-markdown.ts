import type { PackageChange } from "../model/package-lock";
import { renderRoll } from "./render-roll";
import { type Action, clusterObjectsEntry, type NodeReview, type Review, type SettingReview } from "./review";

/** Maximum length of a GitHub comment. */
export const commentLimit = 65_536;

/** Hidden in the comment: the next review of the same stack replaces it. */
export const markerOf = (stack: string): string => `<!-- groundplane-preview:${stack} -->`;

const words: Readonly<Record<Action, string>> = {
  create: "is created",
  replace: "is recreated",
  remove: "is removed",
  restart: "restarts",
  roll: "gets another image",
  update: "is changed in place",
  later: "when it is recreated",
};

/** One comment for a pull request. It states which details are omitted for lack of space. */
export function renderMarkdown(review: Review, limit = commentLimit): string {
  const head = renderHead(review);
  const details = review.nodes.map(renderNode).filter((text) => text !== "");
  const note = (left: number): string => `\n_The details of ${left} more nodes do not fit; see the JSON report._\n`;
  let text = head;
  for (const [index, detail] of details.entries()) {
    const left = details.length - index;
    if (text.length + detail.length + note(left).length > limit) return `${text}${note(left)}`.slice(0, limit);
    text += detail;
  }
  return text.slice(0, limit);
}

function renderHead({
  stack,
  comparedWith,
  risk,
  refused,
  settings,
  nodes,
  unchangedNodes,
  packages = [],
  roll,
  notes = [],
}: Review): string {
  const title = `${markerOf(stack)}\n## groundplane preview: \`${stack}\`\n\nCompared with ${comparedWith}. `;
  const verdict = refused.length > 0 ? "**Refused**; nothing changes." : `Risk: **${risk}**.`;
  const noted = notes.map((note) => `${note}\n\n`).join("");
  const reasons = refused.map((reason) => `- ${reason}\n`).join("");
  const summary = nodes.length === 0 ? "No node changes." : tableOf(nodes);
  const rest = unchangedNodes > 0 && nodes.length > 0 ? `\n${unchangedNodes} other nodes do not change.\n` : "\n";
  const order = `${renderRoll(nodes, roll)}${packagesText(packages)}`;
  return `${title}${verdict}\n\n${reasons}${reasons === "" ? "" : "\n"}${noted}${settingsTable(settings)}${summary}\n${order}${rest}`;
}

const shownPackages = 30;

function packagesText(packages: readonly PackageChange[]): string {
  if (packages.length === 0) return "";
  const shown = packages.slice(0, shownPackages).map(({ name, from, to }) => {
    if (from === undefined) return `\`${name}\` ${to} is new`;
    return to === undefined ? `\`${name}\` ${from} is removed` : `\`${name}\` ${from} -> ${to}`;
  });
  const more = packages.length > shown.length ? ` and ${packages.length - shown.length} more` : "";
  return `\nPackages of the images: ${shown.join(", ")}${more}.\n`;
}

function settingsTable(settings: readonly SettingReview[]): string {
  if (settings.length === 0) return "";
  const none = "none";
  const rows = settings.map(({ key, before = none, after = none, class: changeClass, effect }) =>
    rowOf([`\`${key}\``, `${before} -> ${after}`, changeClass, effect]),
  );
  return `| key | change | class | effect |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n\n`;
}

const rowOf = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;

function tableOf(nodes: readonly NodeReview[]): string {
  const rows = nodes.map((node) => {
    const { what, longestMs, measuredBy, measuredAt } = node.interruption;
    const measured = longestMs === undefined ? "" : `, up to ${longestMs} ms (\`${measuredBy}\` at \`${measuredAt}\`)`;
    const cells = [
      `\`${node.node}\``,
      words[node.action],
      whatOf(node),
      `${what}${measured}`,
      `${node.risk}: ${node.riskReason}`,
    ];
    return rowOf(cells);
  });
  return ["| node | change | reason | unavailable meanwhile | risk |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

const whatOf = ({ node, reasons, files }: NodeReview): string =>
  [
    ...reasons,
    ...(files.length > 0 && node !== clusterObjectsEntry
      ? [`${files.length} ${files.length === 1 ? "file" : "files"}`]
      : []),
  ].join("; ");

function renderNode({ node, files, reloads }: NodeReview): string {
  if (files.length === 0) return "";
  const runs = reloads.length > 0 ? `Runs: ${reloads.map((reload) => `\`${reload}\``).join(", ")}\n\n` : "";
  const diffs = files.map(({ path, diff }) => {
    const text = `--- ${path}\n+++ ${path}\n${diff}`;
    const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
    return `${fence}diff\n${text}${fence}\n`;
  });
  return `\n<details><summary><code>${node}</code></summary>\n\n${runs}${diffs.join("\n")}\n</details>\n`;
}
