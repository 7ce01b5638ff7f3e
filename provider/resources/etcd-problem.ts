import type { Guest } from "../../guests/guest";
import { guestCommand } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";

const COMMAND_MS = 60_000;

/** Why one of these members of etcd cannot be counted on, as another member sees it; `undefined`: all vote and are healthy. */
export async function etcdProblem(
  member: Guest,
  names: readonly string[],
  { signal }: Context,
): Promise<string | undefined> {
  const result = await member.run([guestCommand("etcd-complete"), ...names], { signal, timeoutMs: COMMAND_MS });
  return result.code === 0 ? undefined : reasonOf(result);
}
