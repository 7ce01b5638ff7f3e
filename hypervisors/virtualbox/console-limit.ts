import * as path from "node:path";
import type { ProcessIdentity } from "../../model/commands";
import type { Host } from "../../model/host";
import { OUTPUT_LIMIT } from "../hypervisor";
import { consoleLimitLog, machinesFolder } from "./folders";

/** VirtualBox has no limit for the file of a serial port, so a process per stack empties files that become too large. */

const SCRIPT = "limit-consoles.sh";

/** Starts the process unless it runs. Other hosts than Linux have other file systems and tools: files grow there until a start. */
export async function limitConsoles(host: Host, stack: string): Promise<void> {
  if (host.facts.platform !== "linux" || (await limiters(host, stack)).length > 0) return;
  const script = path.join(host.folders.project(), "hypervisors", "virtualbox", SCRIPT);
  await host.processes.start(["sh", script, machinesFolder(host, stack), String(OUTPUT_LIMIT / 1024)], {
    outputFile: consoleLimitLog(host, stack),
    outputLimit: OUTPUT_LIMIT,
  });
}

/** Ends the process of a stack without machines. It would end within a minute. */
export async function endConsoleLimit(host: Host, stack: string): Promise<void> {
  if (host.facts.platform !== "linux" || (await host.files.exists(machinesFolder(host, stack)))) return;
  for (const process of await limiters(host, stack)) await host.processes.kill(process);
  await host.files.remove(consoleLimitLog(host, stack));
}

function limiters(host: Host, stack: string): Promise<readonly ProcessIdentity[]> {
  const folder = machinesFolder(host, stack);
  return host.processes.find((argv) => path.basename(argv[1] ?? "") === SCRIPT && argv[2] === folder);
}
