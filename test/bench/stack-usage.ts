import * as fs from "node:fs";
import * as path from "node:path";
import { localHost } from "../../host/local-host";
import type { Hypervisor, MachineName } from "../../hypervisors/hypervisor";
import { machineCgroups } from "../../hypervisors/nspawn/cgroups";

/** Seconds of one core that all machines of the stack have used since the first one started. */
export async function stackCpuSeconds(driver: Hypervisor, stack: string): Promise<number> {
  return cpuSeconds(path.dirname(await cgroupFolder(await anyMachine(driver, stack), "cpuacct")));
}

/** The part of it that the running programs with these names have used, as the kernel shortens them. */
export async function programsCpuSeconds(
  driver: Hypervisor,
  stack: string,
  programs: ReadonlySet<string>,
): Promise<number> {
  const folder = path.dirname(await cgroupFolder(await anyMachine(driver, stack), "cpuacct"));
  const lists = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => isProcessList(file));
  const ids = lists.flatMap((file) => linesOf(path.join(folder, file)));
  return ids.map((id) => programTicks(id, programs)).reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
}

const TICKS_PER_SECOND = 100;
const isProcessList = (file: string): boolean => path.basename(file) === "cgroup.procs";

function programTicks(id: string, programs: ReadonlySet<string>): number {
  const [stat = ""] = linesOf(`/proc/${id}/stat`);
  const [, program = "", rest = ""] = /^\d+ \((.*)\) (.*)$/.exec(stat) ?? [];
  const [user = 0, system = 0] = rest.split(" ").slice(11, 13).map(Number);
  return programs.has(program) ? user + system : 0;
}

/** None when the process or its group has ended meanwhile. */
function linesOf(file: string): readonly string[] {
  try {
    return fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** Memory of the processes of all machines, in MiB, without the page cache. */
export async function stackMemoryMiB(driver: Hypervisor, stack: string): Promise<number> {
  const folder = path.dirname(await cgroupFolder(await anyMachine(driver, stack), "memory"));
  const [, bytes] = /^(?:total_rss|anon) (\d+)$/m.exec(fs.readFileSync(path.join(folder, "memory.stat"), "utf8")) ?? [];
  if (bytes === undefined) throw new Error(`${folder}/memory.stat has no figure for process memory`);
  return Number(bytes) / 1024 ** 2;
}

async function anyMachine(driver: Hypervisor, stack: string): Promise<MachineName> {
  const [machine] = await driver.listMachines(stack);
  if (machine === undefined) throw new Error(`${stack} has no machines to measure`);
  return machine;
}

/** The machine's cgroup in the version 1 hierarchy of that controller, or in the unified version 2 hierarchy. */
async function cgroupFolder(machine: MachineName, controller: string): Promise<string> {
  const cgroups = await machineCgroups(localHost, machine);
  const cgroup =
    cgroups.find(({ controllers }) => controllers.includes(controller)) ?? cgroups.find(({ version }) => version === 2);
  if (cgroup === undefined) throw new Error(`${machine.name} is in no cgroup with the controller ${controller}`);
  return cgroup.folder;
}

function cpuSeconds(folder: string): number {
  const nanoseconds = path.join(folder, "cpuacct.usage");
  if (fs.existsSync(nanoseconds)) return Number(fs.readFileSync(nanoseconds, "utf8")) / 1e9;
  const [, microseconds] = /^usage_usec (\d+)$/m.exec(fs.readFileSync(path.join(folder, "cpu.stat"), "utf8")) ?? [];
  return Number(microseconds) / 1e6;
}
