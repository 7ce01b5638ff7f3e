import { UserError } from "../model/user-error";
import { nearestWords } from "../stacks/config/nearest-word";
import { isKind, type Kind } from "./explanation";
import { isListed, type Topic } from "./topics";

export type Found =
  | { readonly topic: Topic }
  /** Only a kind was named. */
  | { readonly listed: readonly Topic[] };

const NEAREST = 5;

/**
 * The topic that the words of a command line name: `master-1`, `role master`, `image build`.
 * @throws UserError `unknown-topic`, `ambiguous-topic`
 */
export function findTopic(topics: readonly Topic[], words: readonly string[]): Found {
  const [first = "", ...rest] = words;
  if (words.length === 0) return { listed: topics.filter(isListed) };
  const kind = isKind(first) ? first : undefined;
  if (kind !== undefined && rest.length === 0) {
    return { listed: topics.filter((topic) => topic.kind === kind && isListed(topic)) };
  }
  const name = (kind === undefined ? words : rest).join(" ");
  const found = matching(topics, name, kind);
  const [topic] = found;
  if (topic === undefined) throw unknown(topics, name, kind);
  if (found.length === 1) return { topic };
  const names = found.map((each) => `\`npx groundplane explain ${each.kind} ${each.name}\``);
  throw new UserError("ambiguous-topic", `${found.length} topics have the name ${name}`, names.join(" or "));
}

/** A name is stronger than a shorter one that means the same. */
function matching(topics: readonly Topic[], name: string, kind: Kind | undefined): readonly Topic[] {
  const known = topics.filter((topic) => kind === undefined || topic.kind === kind);
  const exact = known.filter((topic) => topic.name === name);
  return exact.length > 0 ? exact : known.filter(({ aliases }) => aliases.includes(name));
}

function unknown(topics: readonly Topic[], name: string, kind: Kind | undefined): UserError {
  const known = topics.filter((topic) => kind === undefined || topic.kind === kind);
  const names = [...new Set(known.flatMap((topic) => [topic.name, ...topic.aliases]))];
  const part = names.filter((each) => name.length > 2 && each.includes(name));
  const near = [...new Set([...nearestWords(name, names), ...part])].slice(0, NEAREST);
  const list = `\`npx groundplane explain${kind === undefined ? "" : ` ${kind}`}\` lists what can be explained`;
  return new UserError(
    "unknown-topic",
    `no ${kind ?? "topic"} has the name ${name}`,
    near.length === 0 ? list : `the nearest names are ${near.join(", ")}; ${list}`,
  );
}
