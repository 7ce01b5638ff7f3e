import type { Argument, Command, Option } from "commander";

/** What may stand at the end of a command line. */
export interface Suggestion {
  readonly word: string;
  readonly description?: string;
}

/** `files` and `folders`: the shell knows them better. */
export type Suggestions = readonly Suggestion[] | "files" | "folders";

/** Gives the values of an argument or an option, by the name that its help shows, e.g. `node` of `<node>`. */
export type ValuesOf = (name: string, line: CommandLine) => Promise<Suggestions>;

/** A command line up to the word that is completed. */
export interface CommandLine {
  readonly program: Command;
  /** e.g. `["image", "build"]` */
  readonly commands: readonly string[];
  readonly positional: readonly string[];
  /** By long name, e.g. `--stack`. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

interface Parsed extends CommandLine {
  readonly command: Command;
  /** The option whose value comes next. */
  readonly open?: Option;
  /** After `--` there are no options. */
  readonly isClosed: boolean;
}

/**
 * Completes the last word of a command line by what the commands declare about themselves.
 * @param words of the line after the program's name; the last one may be empty
 */
export async function suggest(program: Command, words: readonly string[], valuesOf: ValuesOf): Promise<Suggestions> {
  const line = parseLine(program, words.slice(0, -1));
  const word = words.at(-1) ?? "";
  if (line.open) return beginning(word === "=" ? "" : word, await optionValues(line.open, line, valuesOf));
  const [, name, value] = /^(--[^=]+)=(.*)$/.exec(word) ?? [];
  const option = name === undefined ? undefined : findOption(line.command, name);
  if (option && !line.isClosed) {
    const found = beginning(value ?? "", await optionValues(option, line, valuesOf));
    if (typeof found === "string") return found;
    return found.map((each) => ({ ...each, word: `${name}=${each.word}` }));
  }
  if (word.startsWith("-") && !line.isClosed) return beginning(word, unusedOptions(line));
  const commands = line.positional.length === 0 && !line.isClosed ? subcommandsOf(line.command) : [];
  const values = await argumentValues(line, valuesOf);
  if (typeof values === "string") return commands.length > 0 && word !== "" ? beginning(word, commands) : values;
  return beginning(word, [...commands, ...values]);
}

function parseLine(program: Command, words: readonly string[]): Parsed {
  let command = program;
  let open: Option | undefined;
  let isClosed = false;
  const [commands, positional, options] = [[] as string[], [] as string[], new Map<string, string | undefined>()];
  for (const word of words) {
    // Bash divides `--stack=lab` into three words.
    if (word === "=") continue;
    if (open?.required || (open && !word.startsWith("-"))) {
      options.set(longName(open), word);
      open = undefined;
      continue;
    }
    if (word === "--" || isClosed) {
      isClosed = true;
      if (word !== "--") positional.push(word);
      continue;
    }
    if (word.startsWith("-")) {
      const [name = "", value] = word.split(/=(.*)/s);
      const option = findOption(command, name);
      if (option) options.set(longName(option), value);
      open = option && takesValue(option) && value === undefined ? option : undefined;
      continue;
    }
    const child = positional.length === 0 ? findCommand(command, word) : undefined;
    if (child) commands.push(child.name());
    else positional.push(word);
    command = child ?? command;
  }
  return { program, command, commands, positional, options, isClosed, ...(open && { open }) };
}

const takesValue = (option: Option): boolean => option.required || option.optional;

const longName = (option: Option): string => option.long ?? option.short ?? "";

const findCommand = (command: Command, name: string): Command | undefined =>
  command.commands.find((each) => each.name() === name || each.aliases().includes(name));

/** Of the command, or of one that it belongs to. */
function findOption(command: Command | null, name: string): Option | undefined {
  if (command === null) return undefined;
  const found = command.options.find(({ long, short }) => name === long || name === short);
  return found ?? findOption(command.parent, name);
}

const isHidden = (command: Command): boolean => (command as Command & { _hidden?: boolean })._hidden === true;

const subcommandsOf = ({ commands }: Command): readonly Suggestion[] =>
  commands
    .filter((command) => !isHidden(command))
    .map((command) => ({ word: command.name(), description: command.description() }));

function unusedOptions({ command, options }: Parsed): readonly Suggestion[] {
  const found = command.options
    .filter((option) => !option.hidden && (option.variadic || !options.has(longName(option))))
    .map((option) => ({ word: longName(option), description: option.description }));
  return [...found, { word: "--help", description: "display help for command" }];
}

const plain = (words: readonly string[]): readonly Suggestion[] => words.map((word) => ({ word }));

async function optionValues(option: Option, line: Parsed, valuesOf: ValuesOf): Promise<Suggestions> {
  if (option.argChoices) return plain(option.argChoices);
  const named = /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? "";
  return valuesOf(option.long === "--stack" ? "stack" : named, line);
}

async function argumentValues(line: Parsed, valuesOf: ValuesOf): Promise<Suggestions> {
  const declared = line.command.registeredArguments;
  const last = declared.at(-1);
  const argument: Argument | undefined = declared[line.positional.length] ?? (last?.variadic ? last : undefined);
  if (argument === undefined) return [];
  return argument.argChoices ? plain(argument.argChoices) : valuesOf(argument.name(), line);
}

const beginning = (word: string, found: Suggestions): Suggestions =>
  typeof found === "string" ? found : found.filter((each) => each.word.startsWith(word));

/** One line for each suggestion, as the scripts of the shells read it. A line that begins with a colon is an order. */
export function renderSuggestions(found: Suggestions): string {
  if (typeof found === "string") return `:${found}`;
  return found
    .map(({ word, description }) => (description ? `${word}\t${description.split("\n")[0]}` : word))
    .join("\n");
}
