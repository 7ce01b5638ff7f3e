import { refuseNewerState } from "../../host/data-version";
import { fileError } from "../../host/file-errors";
import { forStack } from "../../model/next-step";
import { UserError } from "../../model/user-error";
import { type Context, PartialFailure, type ResourceHandler } from "../rpc/resource-handler";

/** The same handler, whose messages name the stack in the commands of their next steps. It refuses a stack with newer resources. */
export function namingStack(handler: ResourceHandler): ResourceHandler {
  const { read, update } = handler;
  return {
    ...handler,
    check: (news, context, olds) =>
      named(context, async (inner, name) => {
        const { failures = [], ...result } = await handler.check(news, inner, olds);
        return { ...result, failures: failures.map(({ property, reason }) => ({ property, reason: name(reason) })) };
      }),
    create: (inputs, preview, context) => named(context, (inner) => handler.create(inputs, preview, inner)),
    ...(read && {
      read: (id, inputs, outputs, context) => named(context, (inner) => read.call(handler, id, inputs, outputs, inner)),
    }),
    ...(update && {
      update: (id, inputs, olds, preview, context) =>
        named(context, (inner) => update.call(handler, id, inputs, olds, preview, inner)),
    }),
    delete: (id, olds, context) => named(context, (inner) => handler.delete(id, olds, inner)),
  };
}

async function named<T>(
  context: Context,
  call: (inner: Context, name: (text: string) => string) => Promise<T>,
): Promise<T> {
  const name = (text: string): string => forStack(text, stackOf(context.urn));
  const inner: Context = {
    ...context,
    log: (severity, message, ephemeral) => context.log(severity, name(message), ephemeral),
  };
  try {
    await refuseNewerOnce(stackOf(context.urn));
    return await call(inner, name);
  } catch (error) {
    throw withName(fileError(error) ?? error, name);
  }
}

/** By stack: the state before the first call of this operation. */
const asked = new Map<string, Promise<void>>();

/** Otherwise the other resources of the stack would change before the newer one is refused. */
function refuseNewerOnce(stack: string): Promise<void> {
  const answer = asked.get(stack) ?? refuseNewerState(stack);
  asked.set(stack, answer);
  return answer;
}

/** `urn:pulumi:<stack>::<project>::<type>::<name>` */
const stackOf = (urn: string): string => urn.split("::")[0]?.split(":")[2] ?? "";

function withName(error: unknown, name: (text: string) => string): unknown {
  if (error instanceof PartialFailure) {
    return new PartialFailure(name(error.message), error.state, error.reasons.map(name));
  }
  if (error instanceof UserError)
    return new UserError(error.id, name(error.problem), name(error.hint), { cause: error });
  return error;
}
