import { formatPatch, structuredPatch } from "diff";
import { inRollOrder, rolesAlone } from "../model/image-rolls";
import { figuresOfRoll, figuresOfUpgrade, type RecordedRolls, sumOfRolls } from "../model/measured/roll-figures";
import type { PackageChange } from "../model/package-lock";
import { primaryRole } from "../model/roles";
import { appliedBy, countRoles, judgeChange, type RoleCounts, worstRisk } from "./interruptions";
import type { Judgement } from "./judgements";
import type { Action, NodeChange, NodeReview, Review, SettingReview } from "./review";

export interface ReviewContext {
  readonly stack: string;
  readonly comparedWith: string;
  readonly refused: readonly string[];
  readonly settings: readonly SettingReview[];
  /** Nodes per role before the change. */
  readonly counts: RoleCounts;
  readonly unchangedNodes: number;
  readonly packages?: readonly PackageChange[];
  readonly notes?: readonly string[];
  /** Instead of what is recorded. */
  readonly bench?: RecordedRolls;
}

/** Adds the commands, the interruption and the risk of each change. */
export function reviewChanges(changes: readonly NodeChange[], context: ReviewContext): Review {
  const { stack, comparedWith, refused, settings, counts, unchangedNodes, packages = [], notes = [], bench } = context;
  // The order of files does not hold for machines: all that restart do so at the same time.
  const countOf = (...actions: readonly Action[]) =>
    countRoles(changes.filter(({ action }) => actions.includes(action)).map(({ roles }) => roles));
  const [restarting, away] = [countOf("restart"), countOf("restart", "replace", "remove")];
  const nodes = ordered(changes)
    .map((change) => withOthersOfTurn(change, changes))
    .map((change) => ({
      ...reviewNode(change, judgeChange(change, counts, restarting, away)),
      ...figuresOf(change, counts, bench),
    }));
  const risk = refused.length > 0 ? "high" : worstRisk([...settings, ...nodes].map((one) => one.risk));
  const review = { format: 1, stack, comparedWith, risk, refused, settings, nodes, unchangedNodes } as const;
  return {
    ...review,
    ...rollOf(nodes, changes, bench),
    ...(packages.length > 0 && { packages }),
    ...(notes.length > 0 && { notes }),
  };
}

function figuresOf(change: NodeChange, counts: RoleCounts, bench?: RecordedRolls): Pick<NodeReview, "figures"> {
  if (change.action !== "roll") return {};
  const alone = rolesAlone(change.roles, (role) => counts[role] ?? 1);
  return { figures: figuresOfRoll({ ...change, alone }, bench) };
}

function rollOf(
  nodes: readonly NodeReview[],
  changes: readonly NodeChange[],
  bench?: RecordedRolls,
): Pick<Review, "roll"> {
  const figures = nodes.flatMap((node) => node.figures ?? []);
  if (figures.length === 0) return {};
  const isUpgrade = changes.some((change) => change.isUpgrade);
  return { roll: { ...sumOfRolls(figures), ...(isUpgrade && { upgrade: figuresOfUpgrade(bench) }) } };
}

/** Nodes that get another image are in the order in which they get it, after the other nodes. */
function ordered(changes: readonly NodeChange[]): readonly NodeChange[] {
  const isRolled = ({ action }: NodeChange): boolean => action === "roll";
  return [...changes.filter((change) => !isRolled(change)), ...inRollOrder(changes.filter(isRolled))];
}

/** A node of the same turn may have the image already. */
function withOthersOfTurn(change: NodeChange, changes: readonly NodeChange[]): NodeChange {
  const { alongside = [], ...rest } = change;
  const others = alongside.filter((name) => changes.some(({ node, action }) => node === name && action === "roll"));
  return change.action === "roll" && others.length > 0 ? { ...rest, alongside: others } : rest;
}

function reviewNode(change: NodeChange, judgement: Judgement): NodeReview {
  const { node, roles, action, reasons, files, alongside } = change;
  const applied = appliedBy(change).commands.map((command) => command.join(" "));
  const reloads =
    action === "update" || action === "roll" || action === "restart"
      ? [...applied, ...files.map(({ reload }) => reload)]
      : [];
  return {
    node,
    ...(roles.length > 0 && { role: primaryRole(roles) }),
    roles,
    action,
    reasons,
    files: files.map(({ path, before, after }) => ({ path, diff: textDiff(before, after) })),
    ...(alongside && { alongside }),
    reloads: [...new Set(reloads.filter((reload) => reload !== ""))],
    ...judgement,
  };
}

/** A unified diff without file names, empty when the texts are equal. `undefined` = no such file. */
export function textDiff(before = "", after = "", context = 3): string {
  const patch = structuredPatch("", "", before, after, undefined, undefined, { context });
  if (patch.hunks.length === 0) return "";
  return formatPatch(patch, { includeIndex: false, includeUnderline: false, includeFileHeaders: false });
}
