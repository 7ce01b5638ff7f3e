import { type Finding, healthy, type ReadAnswer, unhealthy, unknown } from "./findings";
import { notUnderstood } from "./machine-answers";

/** Answers about the rules of nftables: what a machine's files load, and what its kernel has. */

/** What a chain or set contains, by its name as `inet groundplane chain input`, in the order of the listing. */
type Rules = ReadonlyMap<string, readonly string[]>;

/** A set that packets fill, or whose elements expire, has other elements at any time. */
const isFilledByPackets = (statements: readonly string[]): boolean =>
  statements.some((statement) => /^flags .*\b(?:dynamic|timeout)\b/.test(statement));

/** Reads `nft --stateless list ruleset`. Elements of a set are single statements, because their lines are wrapped. */
function parseListing(listing: string): Rules {
  const rules = new Map<string, readonly string[]>();
  const unwrapped = listing.replace(/^(\s*elements = \{)([^}]*)\}/gm, (_all, head: string, elements: string) =>
    elements.split(",").reduce((text, element) => `${text}\n${head} ${element.trim()} }`, ""),
  );
  let [table, part, statements]: [string, string, string[]] = ["", "", []];
  for (const line of unwrapped.split("\n").map((each) => each.trim())) {
    const [, opened] = /^(?:table )?(\S.*) \{$/.exec(line) ?? [];
    if (opened !== undefined && line.startsWith("table ")) [table, part] = [opened, ""];
    else if (opened !== undefined) [part, statements] = [opened, []];
    else if (line === "}" && part !== "") {
      const isElement = (statement: string): boolean => statement.startsWith("elements = ");
      const kept = isFilledByPackets(statements) ? statements.filter((each) => !isElement(each)) : statements;
      rules.set(`${table} ${part}`, kept);
      part = "";
    } else if (line === "}") {
      // Also a table without content exists.
      if (![...rules.keys()].some((name) => name.startsWith(`${table} `))) rules.set(table, []);
    } else if (line !== "" && !line.startsWith("#") && part !== "") statements.push(line);
  }
  return rules;
}

/** The statements of the first list that the second one lacks. Equal ones count as often as they occur. */
function without(statements: readonly string[], others: readonly string[]): readonly string[] {
  const left = [...others];
  return statements.filter((statement) => {
    const index = left.indexOf(statement);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

function differences(expected: Rules, live: Rules): readonly string[] {
  const names = [...new Set([...expected.keys(), ...live.keys()])];
  return names.flatMap((name) => {
    const [wanted, found] = [expected.get(name), live.get(name)];
    if (wanted === undefined) return [`${name} is not in its file`];
    if (found === undefined) return [`${name} is missing`];
    const changes = [
      ...without(found, wanted).map((statement) => `${name} also has \`${statement}\``),
      ...without(wanted, found).map((statement) => `${name} lacks \`${statement}\``),
    ];
    const isReordered = changes.length === 0 && wanted.some((statement, index) => statement !== found[index]);
    return isReordered ? [`${name} has its rules in another order`] : changes;
  });
}

const SHOWN = 3;

/** Two listings: what the files load into an empty kernel, and what this kernel has of the same tables. */
export const readFirewall: ReadAnswer = (of, answer): Finding => {
  const [, files, live] = /^expected\n([\s\S]*)^live\n?([\s\S]*)$/m.exec(answer.text) ?? [];
  const [failure] = /^.*\b[Ee]rror: .*$/m.exec(answer.text) ?? [];
  if (answer.code !== 0 && failure !== undefined) return unknown(of, `nft cannot load or list them: ${failure}`);
  if (answer.code !== 0 || files === undefined || live === undefined) return notUnderstood(of, answer);
  const expected = parseListing(files);
  const changes = differences(expected, parseListing(live));
  if (changes.length === 0)
    return healthy(of, expected.size === 0 ? "has no rules, as planned" : "the rules are those of its file");
  const more = changes.length > SHOWN ? `; and ${changes.length - SHOWN} more` : "";
  return unhealthy(of, `${changes.slice(0, SHOWN).join("; ")}${more}`);
};

/** The rules that pass a pod's packets to the program that enforces NetworkPolicies. It does not renew deleted ones. */
const policyRules = ["ip saddr @podips-v4", "ip daddr @podips-v4"];

export const readPolicyRules: ReadAnswer = (of, answer): Finding => {
  const isAbsent = /No such file or directory/.test(answer.text);
  if (answer.code !== 0 && !isAbsent) return notUnderstood(of, answer);
  const isComplete = policyRules.every((rule) => answer.text.includes(rule));
  return isComplete ? healthy(of, "has the rules") : unhealthy(of, "its rules for NetworkPolicies are missing");
};
