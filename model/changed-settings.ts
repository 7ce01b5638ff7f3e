import { changeOfKey, rows } from "./configuration-changes";
import type { KeyChange, Values } from "./key-changes";
import type { Settings } from "./resource-types";

/** The values of fixed keys in the texts of a node's files; an address there may have a port, and a version has a `v`. */
export function settingsInFiles(texts: readonly string[]): Settings {
  const found = Object.entries(rows).flatMap(([key, { inFiles }]) => {
    const line =
      inFiles === undefined ? undefined : new RegExp(`^ *${inFiles}[:=] *["']?(?:v(?=\\d))?([^"'\\n:]*)`, "m");
    return texts.flatMap((text) => (line?.exec(text) ?? []).slice(1).map((value) => [key, value] as const));
  });
  return Object.fromEntries(found);
}

export interface SettingChange {
  readonly key: string;
  /** `undefined`: without effect, e.g. a key of a pool without machines. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly change: KeyChange;
}

/** Everything that differs between two configurations. */
export function changedSettings(before: Settings, after: Settings): readonly SettingChange[] {
  const [old, now] = [inOrderOf(before, after), inOrderOf(after, before)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return keys.flatMap((key) => {
    const row = changeOfKey(key);
    const values: Values = [old[key] ?? row?.formerly, now[key] ?? row?.formerly];
    if (row === undefined || values[0] === values[1]) return [];
    const at = (other: string): Values => {
      const path = key.replace(/[^.]*$/, other);
      return [old[path], now[path]];
    };
    return [{ key, before: values[0], after: values[1], change: changeOfValues(row, values, at) }];
  });
}

/** A row as it is for these values. */
function changeOfValues({ cases, ...row }: KeyChange, [before, after]: Values, at: (key: string) => Values): KeyChange {
  const found = cases?.find(({ holds }) => holds(before, after, at));
  if (found) return { ...row, ...found, effect: found.effectOf?.(before, after) ?? found.effect };
  const effect = row.effectOf?.(before, after) ?? row.effect;
  // What is fixed may begin or end with the machines of its pool, unless a case says otherwise.
  const mayBegin = cases === undefined && (before === undefined || after === undefined);
  return { ...row, effect, ...(row.class === "creation-only" && mayBegin && { class: "live" }) };
}

/** Lists without an order begin with what they have in common, so that only the difference differs. */
function inOrderOf(settings: Settings, others: Settings): Settings {
  const listOf = (key: string): string | undefined =>
    changeOfKey(key)?.isSet ? key.replace(/\[\d+\]$/, "") : undefined;
  const entries = (one: Settings, list: string): readonly string[] =>
    Object.keys(one).flatMap((key) => (listOf(key) === list ? [String(one[key])] : []));
  const lists = new Set(Object.keys(settings).flatMap((key) => listOf(key) ?? []));
  const ordered = [...lists].flatMap((list) => {
    const [mine, theirs] = [entries(settings, list), entries(others, list)];
    const common = mine.filter((entry) => theirs.includes(entry)).sort();
    const all = [...common, ...mine.filter((entry) => !common.includes(entry))];
    return all.map((entry, position) => [`${list}[${position}]`, entry] as const);
  });
  return { ...settings, ...Object.fromEntries(ordered) };
}
