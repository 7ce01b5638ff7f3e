import { refusalPrefix } from "../model/plan-losses";
import type { Role } from "../stacks/plan/data-center-plan";
import type { RoleCounts } from "./interruptions";
import type { Action, FileChange, NodeChange } from "./review";

/** The relevant part of the output of `pulumi preview --json`. */
export interface PulumiPreview {
  readonly steps?: readonly PreviewStep[];
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

interface PreviewStep {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: { readonly inputs?: Inputs };
  readonly newState?: { readonly inputs?: Inputs };
  readonly diffReasons?: readonly string[] | null;
  readonly replaceReasons?: readonly string[] | null;
}

type Inputs = Readonly<Record<string, unknown>>;

export interface PreviewedChanges {
  readonly changes: readonly NodeChange[];
  readonly refused: readonly string[];
  readonly counts: RoleCounts;
  readonly unchangedNodes: number;
}

/** Pulumi's planned operations, grouped by node. */
export function changesOfPreview({ steps = [], diagnostics = [] }: PulumiPreview): PreviewedChanges {
  // An unchanged resource has no step except that of the preceding refresh.
  const ofType = (type: string) => steps.filter(({ urn }) => typeOf(urn) === type);
  const machines = ofType("Machine");
  const files = new Map(
    ofType("NodeFiles")
      .filter(isChange)
      .map((step) => [nodeOf(step), step] as const),
  );
  const names = [...new Set([...machines.map(nodeOf), ...files.keys()])];
  const changes = names.flatMap((name) => {
    const ofNode = machines.filter((step) => isChange(step) && nodeOf(step) === name);
    return nodeChange(name, ofNode, files.get(name));
  });
  return {
    changes,
    refused: diagnostics.filter(({ severity }) => severity === "error").flatMap(({ message }) => problemOf(message)),
    counts: countRoles(machines.filter(({ op }) => op !== "create").map(nodeOf)),
    unchangedNodes: names.length - changes.length,
  };
}

const isChange = ({ op }: PreviewStep): boolean => op !== "refresh" && op !== "same";

const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1)?.split(":").at(-1) ?? "";

function nodeOf({ urn }: PreviewStep): string {
  return (urn.split("::")[3] ?? "").replace(/-files$/, "");
}

const roleOf = (node: string): Role => node.replace(/-\d+$/, "") as Role;

function countRoles(nodes: readonly string[]): RoleCounts {
  const counts: Partial<Record<Role, number>> = {};
  for (const node of new Set(nodes)) counts[roleOf(node)] = (counts[roleOf(node)] ?? 0) + 1;
  return counts;
}

function nodeChange(
  node: string,
  steps: readonly PreviewStep[],
  files: PreviewStep | undefined,
): readonly NodeChange[] {
  const action = actionOf(steps);
  const fileChanges = action === "same" || action === "update" || action === "restart" ? changedFiles(files) : [];
  if (action === "same" && fileChanges.length === 0) return [];
  const reasons = [...new Set(steps.flatMap(reasonsOf))];
  return [{ node, role: roleOf(node), action: action === "same" ? "update" : action, reasons, files: fileChanges }];
}

function actionOf(steps: readonly PreviewStep[]): Action | "same" {
  const ops = steps.map(({ op }) => op);
  if (ops.some((op) => op.includes("replace"))) return "replace";
  if (ops.includes("delete")) return "remove";
  if (ops.includes("create")) return "create";
  if (!ops.includes("update")) return "same";
  return "update";
}

function reasonsOf({ oldState, newState, diffReasons, replaceReasons }: PreviewStep): readonly string[] {
  const keys = [...(replaceReasons ?? []), ...(diffReasons ?? [])];
  return [...new Set(keys)].map((key) => {
    const [before, after] = [oldState?.inputs?.[key], newState?.inputs?.[key]];
    const isPlain = typeof before !== "object" && typeof after !== "object";
    return isPlain && before !== undefined ? `${key}: ${before} -> ${after}` : key;
  });
}

interface File {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
  readonly reload: string;
}

const filesOf = (inputs: Inputs | undefined): readonly File[] =>
  Array.isArray(inputs?.files) ? (inputs.files as readonly File[]) : [];

function changedFiles(step: PreviewStep | undefined): readonly FileChange[] {
  if (step === undefined || step.op === "delete") return [];
  const before = new Map(filesOf(step.oldState?.inputs).map((file) => [file.path, file]));
  return filesOf(step.newState?.inputs)
    .filter(({ path, content, mode }) => before.get(path)?.content !== content || before.get(path)?.mode !== mode)
    .map(({ path, content, reload }) => {
      const old = before.get(path);
      return { path, before: old?.mode === "missing" ? undefined : old?.content, after: content, reload };
    });
}

/** Removes the text that the engine puts before the guard's message. */
function problemOf(message: string | undefined): readonly string[] {
  const text = (message ?? "").trim();
  return text === "" ? [] : [text.split(refusalPrefix).at(-1) ?? text];
}
