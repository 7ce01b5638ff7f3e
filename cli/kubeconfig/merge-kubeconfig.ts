import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, parseDocument } from "yaml";
import { UserError } from "../../model/user-error";
import { putItem, removeItem, setValue } from "./edit-yaml";

/** The three lists of a kubeconfig; an entry of each is a name with the value of this key. */
const lists = { clusters: "cluster", users: "user", contexts: "context" } as const;

type ListName = keyof typeof lists;

const listNames = Object.keys(lists) as readonly ListName[];

interface Entry {
  readonly name?: string;
  readonly extensions?: readonly { readonly name?: string; readonly extension?: unknown }[];
}

/** Whose entries are meant: a stack of one data folder. */
export interface Owner {
  readonly stack: string;
  readonly data: string;
}

/** Cluster, user and context have this name. */
export const contextName = (stack: string): string => `groundplane-${stack}`;

/** Where Kubernetes has room for what other programs note, which kubectl keeps. */
const markName = "groundplane.internal/stack";

/**
 * A kubeconfig with the cluster, user and context of a stack. All other entries, comments and the order stay; other texts than
 * those of the changed entries stay byte for byte, unless the lists are written in one line.
 *
 * @param text of the user's file; empty if there is none
 * @param own the stack's kubeconfig
 * @param hasCurrent whether another file that kubectl reads has a current context
 * @throws UserError `kubeconfig-unreadable`, `kubeconfig-name-taken`
 */
export function mergeKubeconfig(text: string, own: string, owner: Owner, hasCurrent = false): string {
  const entries = ownEntries(own, owner);
  refuseForeign(parse(text), owner);
  let merged = text.trim() === "" ? "apiVersion: v1\nkind: Config\n" : text;
  for (const list of listNames) merged = putEntry(merged, list, entries[list], owner);
  if (!hasCurrent && !parse(merged).get("current-context")) {
    merged = setValue(merged, parse(merged), "current-context", contextName(owner.stack));
  }
  return keepingOthers(text, merged, owner);
}

/** The same without the entries of the stack. A context of the stack is no longer the current one. */
export function unmergeKubeconfig(text: string, owner: Owner): string {
  let left = text;
  for (const list of listNames) left = removeEntry(left, list, owner);
  const isCurrent = left !== text && parse(left).get("current-context") === contextName(owner.stack);
  return keepingOthers(text, isCurrent ? setValue(left, parse(left), "current-context", "") : left, owner);
}

/** Whether kubectl may take the current context from a text. One that cannot be read may have it. */
export function hasCurrentContext(text: string): boolean {
  try {
    return Boolean(parse(text).get("current-context"));
  } catch {
    return true;
  }
}

/** Whether a text has entries of any stack, and so its keys. */
export function hasStacks(text: string): boolean {
  const document = parse(text);
  return listNames.some((list) => entriesOf(document, list).some((entry) => markOf(entry, list) !== undefined));
}

/** The changed text, after a check that it says the same about everything that is not of the stack. */
function keepingOthers(text: string, changed: string, owner: Owner): string {
  const others = (each: string): object => {
    const document = parse(each);
    const config = (document.toJS() ?? {}) as Record<string, unknown>;
    const kept = listNames.map((list) => [list, entriesOf(document, list).filter((one) => !isOwn(one, list, owner))]);
    const { "current-context": current, ...rest }: Record<string, unknown> = {
      ...{ apiVersion: "v1", kind: "Config" },
      ...config,
    };
    return { ...rest, ...Object.fromEntries(kept), current: current === contextName(owner.stack) ? "" : current || "" };
  };
  if (isDeepStrictEqual(others(text), others(changed))) return changed;
  throw new Error("the change of the kubeconfig would change entries of other clusters");
}

function ownEntries(own: string, owner: Owner): Readonly<Record<ListName, object>> {
  const config = parse(own).toJS() as Record<ListName, readonly Record<string, object>[]>;
  const name = contextName(owner.stack);
  const extensions = [{ name: markName, extension: { stack: owner.stack, data: owner.data } }];
  const valueIn = (list: ListName): object => config[list][0]?.[lists[list]] ?? {};
  return {
    clusters: { name, cluster: { ...valueIn("clusters"), extensions } },
    users: { name, user: { ...valueIn("users"), extensions } },
    contexts: { name, context: { cluster: name, user: name, extensions } },
  };
}

function parse(text: string): Document {
  // Entries of kubectl are YAML 1.1; nothing here depends on the difference.
  const document = parseDocument(text, { keepSourceTokens: true });
  const [error] = document.errors;
  const isConfig = document.contents === null || isMap(document.contents);
  if (error === undefined && isConfig) return document;
  throw new UserError(
    "kubeconfig-unreadable",
    `the kubeconfig is no valid YAML${error ? `: ${error.message.split("\n")[0]}` : ""}`,
    "correct the file, or name another one in KUBECONFIG; nothing was changed",
  );
}

const entriesOf = (document: Document, list: ListName): readonly Entry[] => {
  const value = (document.toJS() as Partial<Record<ListName, readonly Entry[] | null>> | null)?.[list];
  return Array.isArray(value) ? value : [];
};

function isOwn(entry: Entry, list: ListName, { stack, data }: Owner): boolean {
  if (entry.name !== contextName(stack)) return false;
  const mark = markOf(entry, list);
  return mark?.stack === stack && mark.data === data;
}

function markOf(entry: Entry, list: ListName): Partial<Owner> | undefined {
  const value = (entry as Record<string, Entry | undefined>)[lists[list]];
  return value?.extensions?.find(({ name }) => name === markName)?.extension as Partial<Owner> | undefined;
}

function refuseForeign(document: Document, owner: Owner): void {
  const name = contextName(owner.stack);
  const list = listNames.find((each) =>
    entriesOf(document, each).some((entry) => entry.name === name && !isOwn(entry, each, owner)),
  );
  if (list === undefined) return;
  throw new UserError(
    "kubeconfig-name-taken",
    `the kubeconfig has a ${lists[list]} ${name} that is not of this stack`,
    `rename or remove it, e.g. \`kubectl config delete-${lists[list]} ${name}\`; nothing was changed`,
  );
}

/** The entry in the place of the former one, or at the end of its list. */
function putEntry(text: string, list: ListName, entry: object, owner: Owner): string {
  const document = parse(text);
  const index = entriesOf(document, list).findIndex((each) => isOwn(each, list, owner));
  const present = entriesOf(document, list)[index];
  if (present !== undefined && JSON.stringify(present) === JSON.stringify(entry)) return text;
  return putItem(text, document, list, index, entry);
}

function removeEntry(text: string, list: ListName, owner: Owner): string {
  const document = parse(text);
  const index = entriesOf(document, list).findIndex((each) => isOwn(each, list, owner));
  return index === -1 ? text : removeItem(text, document, list, index);
}
