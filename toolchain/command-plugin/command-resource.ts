import { randomBytes } from "node:crypto";
import { type Properties, UNKNOWN } from "../../provider/rpc/property-values";
import type { CheckFailure, Context, ResourceHandler } from "../../provider/rpc/resource-handler";
import { checkCommandInputs, optionalText, readCommandInputs } from "./command-inputs";
import type { CommandOutput, RunStep } from "./run-step";

const UNKNOWN_OUTPUT = { stdout: UNKNOWN, stderr: UNKNOWN } as const;

/**
 * A command as a resource: `create` runs when it appears, `update` (else `create` again) when an input changes, `delete`
 * when it goes; changed `triggers` replace it. There is nothing to read: its outputs are those of the last run.
 */
export function commandResource(
  run: RunStep,
  checkKind: (inputs: Properties) => CheckFailure[] = () => [],
): ResourceHandler {
  const runText = (command: string, properties: Properties, context: Context, previous?: CommandOutput) =>
    run({ command, inputs: readCommandInputs(properties), context, previous }, properties);
  return {
    replaceOn: ["triggers"],
    deleteBeforeReplace: false,
    refreshBeforeUpdate: false,

    async check(inputs) {
      return { inputs, failures: [...checkCommandInputs(inputs), ...checkKind(inputs)] };
    },

    async create(inputs, preview, context) {
      if (preview) return { id: "", outputs: { ...inputs, ...UNKNOWN_OUTPUT } };
      const command = optionalText(inputs.create);
      const output = command === undefined ? { stdout: "", stderr: "" } : await runText(command, inputs, context);
      return { id: `${context.name}${randomBytes(4).toString("hex")}`, outputs: { ...inputs, ...output } };
    },

    async update(_id, inputs, olds, preview, context) {
      if (preview) return { ...inputs, ...UNKNOWN_OUTPUT };
      const previous = lastOutput(olds.outputs);
      const command = optionalText(inputs.update) ?? optionalText(inputs.create);
      const output = command === undefined ? previous : await runText(command, inputs, context, previous);
      return { ...inputs, ...output };
    },

    async delete(_id, { outputs }, context) {
      const command = optionalText(outputs.delete);
      if (command !== undefined) await runText(command, outputs, context, lastOutput(outputs));
    },
  };
}

function lastOutput(outputs: Properties): CommandOutput {
  return { stdout: optionalText(outputs.stdout) ?? "", stderr: optionalText(outputs.stderr) ?? "" };
}
