import { type Change, diskChanges, machineChanges, restartsOn } from "../model/change-classes";
import { changedSettings } from "../model/changed-settings";
import { isDriverName } from "../model/drivers";
import { refusalPrefix } from "../model/plan-losses";
import { type Pool, pools } from "../model/pool-change";
import type { Settings } from "../model/resource-types";
import { formerRolesOfPool, type Role, storedRoles } from "../model/roles";
import { factsOfRoll, imageRoll } from "./image-rolls";
import { countRoles, type RoleCounts } from "./interruptions";
import { objectChanges, textsOf } from "./object-changes";
import { changedFiles, type Inputs, type PreviewStep } from "./preview-steps";
import type { Action, NodeChange, SettingReview } from "./review";
import { reviewSettings } from "./review-settings";

/** The relevant part of the output of `pulumi preview --json`. */
export interface PulumiPreview {
  readonly steps?: readonly PreviewStep[];
  readonly diagnostics?: readonly { readonly message?: string; readonly severity?: string }[];
}

export interface PreviewedChanges {
  readonly changes: readonly NodeChange[];
  readonly refused: readonly string[];
  readonly settings: readonly SettingReview[];
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
  const images = new Map(
    ofType("NodeImage")
      .filter(isChange)
      .map((step) => [nodeOf(step), step] as const),
  );
  const rolesOf = rolesIn(steps);
  const names = inOrderOfPools([...new Set([...machines.map(nodeOf), ...files.keys()])]);
  const changes = names.flatMap((name) => {
    const ofNode = machines.filter((step) => isChange(step) && nodeOf(step) === name);
    const disks = new Set(machines.filter((step) => nodeOf(step) === name).flatMap(disksOf));
    const grown = ofType("Disk").filter((step) => isGrowth(step) && disks.has(String(step.newState?.inputs?.name)));
    const deleted = ofType("Disk")
      .filter(losesData)
      .map(diskOf)
      .filter((disk) => disks.has(disk));
    const machine = machines.find((step) => step.oldState !== undefined && nodeOf(step) === name);
    const roll = imageRoll(images.get(name), machine);
    const facts = factsOfRoll(images.get(name));
    return nodeChange(name, rolesOf(name), [...ofNode, ...grown], files.get(name), roll).map((change) => ({
      ...change,
      ...facts,
      ...(deleted.length > 0 && { deletedDisks: [...new Set(deleted)] }),
    }));
  });
  const standing = [...new Set(machines.filter(({ op }) => op !== "create").map(nodeOf))];
  return {
    changes: [...changes, ...changedObjects(ofType("ClusterObjects").filter(isChange))],
    refused: [
      ...new Set(
        diagnostics.filter(({ severity }) => severity === "error").flatMap(({ message }) => problemOf(message)),
      ),
    ],
    settings: ofType("Guard").filter(isChange).flatMap(changedSettingsOf),
    counts: countRoles(standing.map(rolesOf)),
    unchangedNodes: names.length - changes.length,
  };
}

/** Pulumi reports the steps of a preview as they happen, so that the nodes of a pool come in any order. */
function inOrderOfPools(names: readonly string[]): readonly string[] {
  const poolOf = (name: string): string => name.replace(/-\d+$/, "");
  const numberOf = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? 0);
  const seen = [...new Set(names.map(poolOf))];
  const turnOf = (name: string): number => seen.indexOf(poolOf(name));
  return [...names].sort((one, other) => turnOf(one) - turnOf(other) || numberOf(one) - numberOf(other));
}

/** An object may move from one resource to another. */
function changedObjects(steps: readonly PreviewStep[]): readonly NodeChange[] {
  const objectsOf = (states: readonly PreviewStep["oldState"][]): Readonly<Record<string, unknown>> =>
    Object.assign({}, ...states.map((state) => state?.inputs?.objects));
  const before = steps.map(({ oldState }) => oldState);
  if (before.every((state) => state?.inputs === undefined)) return []; // with a new cluster
  return objectChanges(textsOf(objectsOf(before)), textsOf(objectsOf(steps.map(({ newState }) => newState))));
}

/** The guard records the configuration. */
function changedSettingsOf({ oldState, newState }: PreviewStep): readonly SettingReview[] {
  const [before, after] = [oldState?.inputs?.settings, newState?.inputs?.settings];
  if (before === undefined || after === undefined) return [];
  const driver = String(newState?.inputs?.driver);
  return reviewSettings(changedSettings(before as Settings, after as Settings), isDriverName(driver) ? driver : "auto");
}

const isChange = ({ op }: PreviewStep): boolean => op !== "refresh" && op !== "same";

const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1)?.split(":").at(-1) ?? "";

function nodeOf({ urn }: PreviewStep): string {
  return (urn.split("::")[3] ?? "").replace(/-(?:files|image)$/, "");
}

/** Roles by node. States of earlier revisions have them in part: in a membership, or by a pool of the guard. */
function rolesIn(steps: readonly PreviewStep[]): (node: string) => readonly Role[] {
  const ofType = (type: string) => steps.filter(({ urn }) => typeOf(urn) === type);
  const found = new Map<string, readonly Role[]>();
  const add = (node: string, roles: readonly Role[]): void => {
    if (roles.length > 0) found.set(node, roles);
  };
  for (const inputs of ofType("Guard").flatMap(inputsOf)) {
    for (const pool of pools) for (const { name } of membersOf(inputs, pool)) add(name, formerRolesOfPool[pool]);
  }
  for (const inputs of ofType("Membership").flatMap(inputsOf)) add(String(inputs.node), storedRoles(inputs));
  for (const step of ofType("Machine")) for (const inputs of inputsOf(step)) add(nodeOf(step), storedRoles(inputs));
  return (node) => found.get(node) ?? [];
}

const inputsOf = ({ oldState, newState }: PreviewStep): readonly Inputs[] =>
  [oldState?.inputs, newState?.inputs].filter((inputs) => inputs !== undefined);

const membersOf = (inputs: Inputs, pool: Pool): readonly { readonly name: string }[] =>
  Array.isArray(inputs[pool]) ? inputs[pool] : [];

function nodeChange(
  node: string,
  roles: readonly Role[],
  steps: readonly PreviewStep[],
  files: PreviewStep | undefined,
  roll: string | undefined,
): readonly NodeChange[] {
  const ofMachine = actionOf(steps);
  const action = roll !== undefined && (ofMachine === "same" || ofMachine === "update") ? "roll" : ofMachine;
  const stays = action === "same" || action === "update" || action === "roll" || action === "restart";
  const fileChanges = stays ? changedFiles(files) : [];
  // A timer of the node has not renewed them.
  const overdue = stays && files?.oldState?.inputs?.overdue !== undefined ? ["certificates are renewed"] : [];
  if (action === "same" && fileChanges.length === 0 && overdue.length === 0) return [];
  const rolled = stays && roll !== undefined ? [roll] : [];
  const reasons = [...new Set([...steps.flatMap(reasonsOf), ...rolled, ...overdue])];
  return [{ node, roles, action: action === "same" ? "update" : action, reasons, files: fileChanges }];
}

function actionOf(steps: readonly PreviewStep[]): Action | "same" {
  const ops = steps.map(({ op }) => op);
  if (ops.some((op) => op.includes("replace"))) return "replace";
  if (ops.includes("delete")) return "remove";
  if (ops.includes("create")) return "create";
  if (!ops.includes("update")) return "same";
  return steps.some(isRestart) ? "restart" : "update";
}

/** A data disk that grows, which restarts its machine on some drivers. */
const isGrowth = ({ op, diffReasons }: PreviewStep): boolean =>
  op === "update" && (diffReasons ?? []).includes("sizeGiB");

/** A data disk that is deleted, and not kept on the host. */
const losesData = ({ op, oldState }: PreviewStep): boolean =>
  op.startsWith("delete") && oldState?.inputs?.keep === false;

const diskOf = (step: PreviewStep): string => String(inputsOf(step)[0]?.name);

const disksOf = (step: PreviewStep): readonly string[] =>
  inputsOf(step).flatMap(({ disks }) =>
    Array.isArray(disks) ? disks.map(({ disk }: { readonly disk: string }) => disk) : [],
  );

/** A machine that runs, and an input that its driver changes only while it is stopped. */
function isRestart({ urn, oldState, newState, diffReasons }: PreviewStep): boolean {
  const driver = String(newState?.inputs?.driver);
  const table: Readonly<Record<string, Change>> = typeOf(urn) === "Disk" ? diskChanges : machineChanges;
  if (!isDriverName(driver) || oldState?.inputs?.power === "stopped") return false;
  return (diffReasons ?? []).some((input) => {
    const change = table[input];
    return change !== undefined && restartsOn(change, driver);
  });
}

function reasonsOf({ urn, oldState, newState, diffReasons, replaceReasons }: PreviewStep): readonly string[] {
  const keys = [...(replaceReasons ?? []), ...(diffReasons ?? [])];
  const owner = typeOf(urn) === "Disk" ? ` of ${newState?.inputs?.name}` : "";
  return [...new Set(keys)].map((key) => {
    const [before, after] = [oldState?.inputs?.[key], newState?.inputs?.[key]];
    const isPlain = typeof before !== "object" && typeof after !== "object";
    return isPlain && before !== undefined ? `${key}${owner}: ${before} -> ${after}` : `${key}${owner}`;
  });
}

/** Removes the text that the engine puts before the guard's message. */
function problemOf(message: string | undefined): readonly string[] {
  const text = (message ?? "").trim();
  return text === "" ? [] : [text.split(refusalPrefix).at(-1) ?? text];
}
