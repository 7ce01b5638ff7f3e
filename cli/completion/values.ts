import * as path from "node:path";
import { isKind, kindNames, kinds } from "../../explain/explanation";
import { subjectOf } from "../../explain/subject";
import { isListed, topicsOf } from "../../explain/topics";
import { listFolder } from "../../host/file-store";
import { projectFolder } from "../../host/project-folder";
import { defaultStack } from "../../model/next-step";
import { isObjectName } from "../../model/object-names";
import { describeCommands } from "../describe-commands";
import { readPlan } from "../project";
import type { CommandLine, Suggestion, Suggestions, ValuesOf } from "./suggest";

type Source = (line: CommandLine) => Promise<Suggestions>;

/** Where the values of arguments and options come from, by the names that the help shows. */
const sources: Readonly<Record<string, Source>> = {
  stack: stackNames,
  node: nodeNames,
  file: async () => "files",
  "key-file": async () => "files",
  folder: async () => "folders",
  topic: topicNames,
};

export const valuesOf: ValuesOf = async (name, line) => (await sources[name]?.(line)) ?? [];

async function stackNames(): Promise<readonly Suggestion[]> {
  const files = await listFolder(path.join(projectFolder(), "stacks"));
  return files.flatMap((file) => {
    const name = /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
    return name !== undefined && isObjectName(name) ? [{ word: name }] : [];
  });
}

/** From the configuration: it needs no stack that is up. */
async function nodeNames({ options }: CommandLine): Promise<readonly Suggestion[]> {
  const plan = await readPlan(options.get("--stack") ?? defaultStack);
  return plan.nodes.map(({ name, roles, address }) => ({ word: name, description: `${roles.join(", ")}, ${address}` }));
}

/** The kinds and all names; after a kind, its names. */
async function topicNames({ program, options, positional }: CommandLine): Promise<readonly Suggestion[]> {
  const plan = await readPlan(options.get("--stack") ?? defaultStack);
  const [kind] = positional;
  const topics = topicsOf(subjectOf(plan, describeCommands(program))).filter(isListed);
  const names = topics.map(({ name, title }) => ({ word: name, description: title }));
  if (kind === undefined) return [...kindNames.map((each) => ({ word: each, description: kinds[each] })), ...names];
  return isKind(kind) ? names.filter((_, index) => topics[index]?.kind === kind) : [];
}
