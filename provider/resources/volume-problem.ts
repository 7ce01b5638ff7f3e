import type { Guest } from "../../guests/guest";
import { guestCommand, volumeName } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";

const COMMAND_MS = 60_000;

/**
 * Why a copy of the volume cannot be away now, as a storage machine sees it; `undefined`: all copies are served and complete.
 *
 * @param hasCopies false: it has one, which nothing heals
 */
export async function volumeProblem(guest: Guest, { signal }: Context, hasCopies = true): Promise<string | undefined> {
  const options = { signal, timeoutMs: COMMAND_MS };
  // It checks before it acts: of a volume that is as planned it changes nothing.
  const served = await guest.run([guestCommand("form-storage-pool"), "0"], options);
  if (served.code !== 0) return reasonOf(served);
  if (!hasCopies) return undefined;
  const heals = await guest.run(["gluster", "--mode=script", "volume", "heal", volumeName, "info", "summary"], options);
  // One paragraph for each copy; `-` is the number of one that does not respond.
  const waiting = [...heals.stdout.matchAll(/^Total Number of entries: (.*)$/gm)].map(([, entries]) => entries?.trim());
  if (heals.code !== 0 || waiting.length === 0)
    return `the volume does not say whether it is healed: ${reasonOf(heals)}`;
  if (waiting.includes("-")) return "a copy of the volume does not respond";
  const pending = waiting.reduce((sum, entries) => sum + Number(entries), 0);
  return pending === 0 ? undefined : `${pending} files of the volume wait to be healed`;
}
