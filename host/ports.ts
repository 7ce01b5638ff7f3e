import { type AddressInfo, createServer } from "node:net";
import { readKernelFile } from "./kernel-files";
import { socketHolder } from "./process-table";
import { runCommand } from "./run-command";

/** Whether this port of 127.0.0.1 is free. */
export function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A free port of 127.0.0.1. */
export function findFreePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The process that listens on a TCP port of this host: `<command> (process <pid>)`; `undefined` if none is found. */
export async function portHolder(port: number): Promise<string | undefined> {
  if (process.platform === "darwin")
    return parseLsof(await ask(["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"]));
  if (process.platform === "win32") return windowsHolder(port);
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const inode of parseListeners((await readKernelFile(table)) ?? "", port)) {
      const holder = await socketHolder(inode);
      if (holder) return holder;
    }
  }
  return undefined;
}

async function windowsHolder(port: number): Promise<string | undefined> {
  const pid = parseNetstat(await ask(["netstat.exe", "-ano", "-p", "TCP"]), port);
  if (pid === undefined) return undefined;
  const listed = await ask(["tasklist.exe", "/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"]);
  return `${/^"([^"]+)"/m.exec(listed)?.[1] ?? "a program"} (process ${pid})`;
}

/** The output of a query; empty if it fails, because the holder of a port is optional information. */
async function ask(argv: readonly string[]): Promise<string> {
  const answer = await runCommand(argv, { timeoutMs: 10_000 }).catch(() => undefined);
  return answer?.stdout ?? "";
}

/** Parses `lsof -Fpc`: a line `p<pid>`, then `c<command>`. */
export function parseLsof(text: string): string | undefined {
  const [, pid, command] = /^p(\d+)\n(?:[^pc].*\n)*c(.+)$/m.exec(text) ?? [];
  return pid === undefined ? undefined : `${command} (process ${pid})`;
}

/** The listening process, from Windows' `netstat -ano`. Windows localizes the state, so the zero port identifies it. */
export function parseNetstat(text: string, port: number): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const [protocol, local = "", remote = "", , pid] = line.trim().split(/\s+/);
    const listens = protocol === "TCP" && remote.endsWith(":0");
    if (listens && [`127.0.0.1:${port}`, `0.0.0.0:${port}`].includes(local)) return pid;
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
