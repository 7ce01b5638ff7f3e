import type { Guest } from "../../guests/guest";
import { guestCommand } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { ask, reasonOf } from "./guest-waiting";

const COMMAND_MS = 60_000;

/** Why one of these members of etcd cannot be counted on, as another member sees it; `undefined`: all vote and are healthy. */
export async function etcdProblem(
  member: Guest,
  names: readonly string[],
  context: Context,
): Promise<string | undefined> {
  const result = await ask(member, [guestCommand("etcd-complete"), ...names], context, COMMAND_MS);
  return result.code === 0 ? undefined : reasonOf(result);
}
