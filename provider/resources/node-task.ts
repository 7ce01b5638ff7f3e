import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectGuest } from "../../guests/guest";
import { type RunResult, UnreachableError } from "../../guests/guest-ssh";
import type { NodeTaskInputs, NodeTaskOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { bootedGuest, deadlineMs, progress, reasonOf } from "./guest-waiting";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

const POLL_MS = 400;
/** Longer than the guest's own limit of an attempt, whose result is more useful. */
const ANSWER_MS = 5_000;
/** Not yet: the command itself says so, or its time was up. */
const NOT_YET: readonly number[] = [1, 124];
/** Of a word in a message. A certificate is longer. */
const SHOWN_LENGTH = 100;

/** A command on a node that is repeated until it succeeds. */
export function nodeTaskResource(connect: ConnectGuest): TypedResource<NodeTaskInputs, NodeTaskOutputs> {
  return {
    schema: {
      description: "A check or an idempotent action on a node, repeated until it succeeds.",
      inputs: {
        node: schemas.text(),
        connection: schemas.connection,
        command: schemas.list(schemas.text(), "Program and arguments."),
        stdin: schemas.secretText("Its standard input, e.g. a key."),
        attemptSeconds: schemas.whole("The time limit of one attempt."),
        triggers: schemas.list(schemas.text(), "A change of them runs the command again."),
        files: schemas.list(schemas.privateFile, "Written before the command runs; absent = none."),
      },
      optional: ["stdin", "files"],
    },
    replaceOn: ["node"],
    alwaysSecret: ["stdin", "files"],
    refreshBeforeUpdate: false,

    async create(inputs, preview, context) {
      if (!preview) await repeatUntilDone(connect, inputs, context);
      return { id: `task/${context.name}`, outputs: inputs };
    },

    async update(_id, inputs, _olds, preview, context) {
      if (!preview) await repeatUntilDone(connect, inputs, context);
      return inputs;
    },

    async delete() {
      // It leaves nothing that could be removed.
    },
  };
}

async function repeatUntilDone(connect: ConnectGuest, inputs: NodeTaskInputs, context: Context): Promise<void> {
  const { node } = inputs;
  const end = Date.now() + deadlineMs(context);
  const show = progress(context, node);
  for (;;) {
    const reason = await attempt(connect, inputs, context, end);
    if (reason === undefined) return;
    show(reason.split("\n")[0] ?? "");
    if (Date.now() + POLL_MS > end) throw notDone(inputs, reason);
    await sleep(POLL_MS, undefined, { signal: context.signal });
  }
}

/** Why it is not done yet; `undefined` once it is done. */
async function attempt(
  connect: ConnectGuest,
  { node, connection, command, stdin, attemptSeconds, files = [] }: NodeTaskInputs,
  context: Context,
  end: number,
): Promise<string | undefined> {
  const guest = await bootedGuest(connect, connection, node, context, Math.max(0, end - Date.now()));
  // The limit in the guest ends the command where this process cannot: after a cancellation, and when it is killed.
  const argv = ["timeout", String(attemptSeconds), ...command];
  const options = {
    ...{ signal: context.signal, timeoutMs: attemptSeconds * 1000 + ANSWER_MS },
    ...(stdin !== undefined && { stdin }),
  };
  const run = async () => {
    if (files.length > 0) await guest.writeFiles(files, context.signal);
    return guest.run(argv, options);
  };
  const result = await run().catch((error: unknown) => {
    context.signal.throwIfAborted();
    if (error instanceof UnreachableError) return error.message;
    throw error;
  });
  if (typeof result === "string") return result;
  if (result.code === 0) return undefined;
  if (NOT_YET.includes(result.code)) return reasonOf(result);
  throw failed(node, command, result);
}

/** The command as messages show it. */
const shown = (command: readonly string[]): string =>
  command.map((word) => (word.length > SHOWN_LENGTH ? `${word.slice(0, 20)}…` : word)).join(" ");

const notDone = ({ node, command }: NodeTaskInputs, reason: string): UserError =>
  new UserError(
    "node-task",
    `${node} is not done with \`${shown(command)}\`:\n${reason}`,
    `see \`npx groundplane logs ${node}\`; run \`up\` again to go on waiting`,
  );

const failed = (node: string, command: readonly string[], result: RunResult): UserError =>
  new UserError(
    "node-task",
    `\`${shown(command)}\` failed on ${node} with exit code ${result.code}:\n${reasonOf(result)}`,
    `see \`npx groundplane logs ${node}\``,
  );
