import * as commands from "./commands";
import type { Session } from "./vboxmanage";

/** Removes a listed disk from VirtualBox's registry; its file stays. It may have left the registry since it was listed. */
export async function forgetDisk(session: Session, uuid: string): Promise<void> {
  const isForgotten = async () => !(await session.media(0)).some((medium) => medium.uuid === uuid);
  await session.call(commands.forgetDisk(uuid), { done: isForgotten });
}
