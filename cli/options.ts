import { Command, InvalidArgumentError } from "commander";
import { defaultStack } from "../model/next-step";
import { isObjectName, objectNameRule } from "../model/object-names";

export interface StackOptions {
  readonly stack: string;
}

export interface ReportOptions extends StackOptions {
  readonly json?: boolean;
}

/** A command about one stack. */
export function stackCommand(nameAndArguments: string, description: string): Command {
  const [name = "", ...rest] = nameAndArguments.split(" ");
  const command = new Command(name).description(description);
  for (const argument of rest) command.argument(argument);
  return command.option("--stack <name>", "the stack", parseStackName, defaultStack);
}

/** It becomes part of paths. */
export function parseStackName(text: string): string {
  if (!isObjectName(text)) throw new InvalidArgumentError(objectNameRule);
  return text;
}

/** A command that reports on one stack, as text or as JSON. */
export function reportCommand(nameAndArguments: string, description: string): Command {
  return stackCommand(nameAndArguments, description).option("--json", "print JSON");
}
