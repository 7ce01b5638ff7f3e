import { readKernelFile } from "./kernel-files";
import { socketHolder } from "./process-table";
import { UserError } from "./user-error";

/** What to say when a port that leads to a machine is somebody else's. */
export async function portTaken(machine: string, port: number): Promise<UserError> {
  const holder = (await portHolder(port)) ?? "somebody unknown";
  return new UserError(
    "port-taken",
    `port 127.0.0.1:${port}, which leads to ${machine}, is held by ${holder}`,
    "end that program, or give the stack other ports with hostPorts in its configuration",
  );
}

/** Who listens on a TCP port of this host: `<command> (process <pid>)`; `undefined` when nobody is found. */
async function portHolder(port: number): Promise<string | undefined> {
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const inode of parseListeners((await readKernelFile(table)) ?? "", port)) {
      const holder = await socketHolder(inode);
      if (holder) return holder;
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on a TCP port of 127.0.0.1 or of all addresses, from /proc/net/tcp. */
export function parseListeners(text: string, port: number): readonly string[] {
  const LISTEN = "0A";
  const addresses = ["0100007F", "00000000", "0".repeat(32), "0000000000000000FFFF00000100007F"];
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    const [address = "", hexPort = ""] = local.split(":");
    const matches = state === LISTEN && Number.parseInt(hexPort, 16) === port && addresses.includes(address);
    return matches && inode !== undefined ? [inode] : [];
  });
}
