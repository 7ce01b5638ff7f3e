import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { dataFolder, stackFolder } from "../../host/data-folder";
import { withFileLock } from "../../host/file-lock";
import { readIfPresent, removeTree } from "../../host/file-store";
import { findFreePort, isPortFree } from "../../host/ports";
import type { Hypervisor, MachineSpec, Owner, SeedFiles } from "../../hypervisors/hypervisor";
import { ports } from "../../model/ports";
import { UserError } from "../../model/user-error";
import { makeSmokeImage, type SmokeImage } from "./smoke-image";

/** One step of the smoke test as it went. */
export interface SmokeStep {
  readonly step: string;
  readonly seconds: number;
  readonly state: "ok" | "failed";
  readonly text: string;
  readonly hint?: string;
}

export interface SmokeOptions {
  /** Called as each step ends. */
  readonly tell: (step: SmokeStep) => void;
  readonly signal: AbortSignal;
  /** How long the machine may take to say that it has booted; default two minutes. */
  readonly bootMs?: number;
}

const STACK = "groundplane-smoke";
const SEGMENT = { stack: STACK, name: "lan" };
const MACHINE = { stack: STACK, name: "tiny" };
const OWNER: Owner = { stack: STACK, urn: "urn:groundplane:doctor:smoke" };
const SEED: SeedFiles = {
  userData: "#cloud-config\nssh_deletekeys: false\nssh_genkeytypes: []\n",
  metaData: "instance-id: smoke\nlocal-hostname: tiny\n",
  networkConfig: "version: 2\nethernets: {}\n",
};
const BOOT_MS = 120_000;

/**
 * Makes, boots and removes one tiny machine through the driver port, and tells how each step went. Ends at the first
 * step that fails; what was made is removed in any case, also what a smoke test left that was killed.
 */
export async function smokeTest(driver: Hypervisor, options: SmokeOptions): Promise<readonly SmokeStep[]> {
  const lock = path.join(dataFolder(), STACK);
  return withFileLock(lock, () => runSteps(driver, options));
}

async function runSteps(driver: Hypervisor, options: SmokeOptions): Promise<readonly SmokeStep[]> {
  const { signal, tell, bootMs = BOOT_MS } = options;
  const log = new StepLog(tell);
  let image: SmokeImage | undefined;
  try {
    image = await log.take("image", async () => {
      await removeMachine(driver);
      const value = await makeSmokeImage(driver);
      return { text: `${value.name} is ready for machines`, value };
    });
    const { name, booted, shutdownMs } = image;
    const port = await findFreePort();
    const steps: Readonly<Record<string, () => Promise<string>>> = {
      create: () => create(driver, tinyMachine(name, port)),
      start: () => start(driver),
      boot: () => boot(driver, booted, bootMs, signal),
      "way in": () => wayIn(port),
      stop: () => stop(driver, shutdownMs),
    };
    for (const [step, action] of Object.entries(steps)) {
      signal.throwIfAborted();
      await log.take(step, async () => ({ text: await action(), value: undefined }));
    }
  } catch {
    // It stands among the steps. What comes now has to be done all the same.
  }
  const remove = async () => ({ text: await removeAll(driver, image), value: undefined });
  await log.take("remove", remove).catch(() => undefined);
  signal.throwIfAborted();
  return log.steps;
}

/** Takes steps one after the other and keeps how long each took and what came of it. */
class StepLog {
  readonly steps: SmokeStep[] = [];

  constructor(private readonly tell: SmokeOptions["tell"]) {}

  async take<T>(step: string, action: () => Promise<{ readonly text: string; readonly value: T }>): Promise<T> {
    const started = performance.now();
    const end = (outcome: Pick<SmokeStep, "state" | "text" | "hint">): void => {
      const taken = { step, seconds: Math.round(performance.now() - started) / 1000, ...outcome };
      this.steps.push(taken);
      this.tell(taken);
    };
    try {
      const { text, value } = await action();
      end({ state: "ok", text });
      return value;
    } catch (error) {
      end({ state: "failed", ...wordsFor(error) });
      throw error;
    }
  }
}

function tinyMachine(image: string, hostPort: number): MachineSpec {
  return {
    ...MACHINE,
    image,
    uuid: "5b0c9f0e-6f2c-5d7e-9c41-0d6a7c1b2e3f",
    cpus: 1,
    memoryMiB: 256,
    diskGiB: 1,
    nics: [{ segment: SEGMENT.name, name: "lan", mac: "52:54:00:5e:00:01" }],
    uplink: { mac: "52:54:00:5e:00:02", forwards: [{ hostPort, guestPort: ports.ssh }] },
    disks: [],
  };
}

async function create(driver: Hypervisor, spec: MachineSpec): Promise<string> {
  await driver.ensureSegment(SEGMENT, OWNER);
  const { power } = await driver.ensureMachine(spec, SEED, OWNER);
  const found = await driver.inspectMachine(MACHINE);
  if (!found) throw new UserError("smoke-lost", "the machine was made and cannot be found", "report this fault");
  return `a machine of ${spec.memoryMiB} MiB, ${power}, as ${driver.name} shows it`;
}

async function start(driver: Hypervisor): Promise<string> {
  await driver.startMachine(MACHINE);
  return `it is ${(await driver.inspectMachine(MACHINE))?.power ?? "gone"}`;
}

async function boot(driver: Hypervisor, booted: RegExp, bootMs: number, signal: AbortSignal): Promise<string> {
  const file = driver.consoleLog?.consoleLogPath(MACHINE);
  if (file === undefined) return `${driver.name} keeps no console: not looked at`;
  const deadline = performance.now() + bootMs;
  for (;;) {
    const said = (await readIfPresent(file)) ?? "";
    const line = said.split(/\r?\n/).find((each) => booted.test(each));
    if (line !== undefined) return `its console says: ${plainText(line)}`;
    if (performance.now() > deadline) throw notBooted(said, bootMs);
    await sleep(100, undefined, { signal });
  }
}

function notBooted(said: string, bootMs: number): UserError {
  const last = plainText(said).trimEnd().split("\n").slice(-5).join("\n  ");
  const problem = `its console does not say within ${bootMs / 1000} s that it has booted${last ? `:\n  ${last}` : ", it is empty"}`;
  return new UserError("smoke-not-booted", problem, "look at the other findings of `npx groundplane doctor`");
}

/** Without a console's colours and cursor movements. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const plainText = (text: string): string => text.replace(/\x1b\[[\d;?]*[a-zA-Z]|\r/g, "").trim();

async function wayIn(port: number): Promise<string> {
  if (!(await isPortFree(port))) return `port ${port} of 127.0.0.1 leads to it`;
  throw new UserError("smoke-no-way-in", `nobody listens on port ${port} of 127.0.0.1`, "report this fault");
}

async function stop(driver: Hypervisor, shutdownMs: number): Promise<string> {
  await driver.stopMachine(MACHINE, shutdownMs);
  return `it is ${(await driver.inspectMachine(MACHINE))?.power ?? "gone"}`;
}

async function removeMachine(driver: Hypervisor): Promise<void> {
  await driver.removeMachine(MACHINE, OWNER);
  await driver.removeSegment(SEGMENT, OWNER);
}

async function removeAll(driver: Hypervisor, image: SmokeImage | undefined): Promise<string> {
  await removeMachine(driver);
  await image?.remove();
  await removeTree(stackFolder(STACK));
  const left = await driver.listMachines(STACK);
  if (left.length === 0) return "nothing is left";
  throw new UserError("smoke-left", `left: ${left.map(({ name }) => name).join(", ")}`, "report this fault");
}

function wordsFor(error: unknown): { readonly text: string; readonly hint?: string } {
  if (error instanceof UserError) return { text: error.problem, hint: error.hint };
  return { text: error instanceof Error ? error.message : String(error) };
}
