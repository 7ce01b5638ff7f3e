import * as path from "node:path";
import type { Host } from "../../model/host";
import { ports } from "../../model/ports";
import { UserError } from "../../model/user-error";
import type { Hypervisor, MachineSpec, Owner, SeedFiles } from "../hypervisor";
import { makeSmokeImage, type SmokeImage } from "./smoke-image";

/** The result of one step of the smoke test. */
export interface SmokeStep {
  readonly step: string;
  readonly seconds: number;
  readonly state: "ok" | "failed";
  readonly text: string;
  readonly hint?: string;
}

export interface SmokeOptions {
  /** Called at the end of each step. */
  readonly tell: (step: SmokeStep) => void;
  readonly signal: AbortSignal;
  /** How long the machine may take to boot (default: two minutes), and the image of one that cannot boot a sector. */
  readonly bootMs?: number;
  readonly image?: string;
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
 * Creates, boots and removes one tiny machine through the driver port. Ends at the first step that fails. Removes the
 * machine in any case, including one that a killed smoke test left.
 */
export async function smokeTest(driver: Hypervisor, host: Host, options: SmokeOptions): Promise<readonly SmokeStep[]> {
  const lock = path.join(host.folders.data(), STACK);
  return host.locks.withLock(lock, () => runSteps(driver, host, options));
}

async function runSteps(driver: Hypervisor, host: Host, options: SmokeOptions): Promise<readonly SmokeStep[]> {
  const { signal, tell, bootMs = BOOT_MS } = options;
  const log = new StepLog(tell, () => host.clock.now());
  let image: SmokeImage | undefined;
  try {
    image = await log.take("image", async () => {
      await removeMachine(driver);
      const value = await makeSmokeImage(driver, host, options.image);
      return { text: `${value.name} is ready for machines`, value };
    });
    const { name, booted, shutdownMs } = image;
    const port = await host.ports.findFree();
    const steps: Readonly<Record<string, () => Promise<string>>> = {
      create: () => create(driver, tinyMachine(name, port)),
      start: () => start(driver),
      boot: () => boot(driver, host, { booted, bootMs, signal }),
      "way in": () => wayIn(host, port),
      stop: () => stop(driver, shutdownMs),
    };
    for (const [step, action] of Object.entries(steps)) {
      signal.throwIfAborted();
      await log.take(step, async () => ({ text: await action(), value: undefined }));
    }
  } catch {
    // The failed step is in the log. The machine is removed in any case.
  }
  const remove = async () => ({ text: await removeAll(driver, host, image), value: undefined });
  await log.take("remove", remove).catch(() => undefined);
  signal.throwIfAborted();
  return log.steps;
}

/** Runs steps one after the other and keeps the duration and the result of each. */
class StepLog {
  readonly steps: SmokeStep[] = [];

  constructor(
    private readonly tell: SmokeOptions["tell"],
    private readonly now: () => number,
  ) {}

  async take<T>(step: string, action: () => Promise<{ readonly text: string; readonly value: T }>): Promise<T> {
    const started = this.now();
    const end = (outcome: Pick<SmokeStep, "state" | "text" | "hint">): void => {
      const taken = { step, seconds: Math.round(this.now() - started) / 1000, ...outcome };
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
  if (!found)
    throw new UserError(
      "smoke-lost",
      "the machine was created but cannot be found",
      "this is an internal error, please report it",
    );
  return `${driver.name} shows a machine with ${spec.memoryMiB} MiB of memory, ${power}`;
}

async function start(driver: Hypervisor): Promise<string> {
  await driver.startMachine(MACHINE);
  return `the machine is ${(await driver.inspectMachine(MACHINE))?.power ?? "gone"}`;
}

interface BootWait {
  readonly booted: RegExp;
  readonly bootMs: number;
  readonly signal: AbortSignal;
}

async function boot(driver: Hypervisor, { files, clock }: Host, wait: BootWait): Promise<string> {
  const { booted, bootMs, signal } = wait;
  const file = driver.consoleLog?.consoleLogPath(MACHINE);
  if (file === undefined) return `not checked: ${driver.name} keeps no console log`;
  const deadline = clock.now() + bootMs;
  for (;;) {
    const said = (await files.readText(file)) ?? "";
    const line = said.split(/\r?\n/).find((each) => booted.test(each));
    if (line !== undefined) return `the console says: ${plainText(line)}`;
    if (clock.now() > deadline) throw notBooted(said, bootMs);
    signal.throwIfAborted();
    await clock.sleep(100);
  }
}

function notBooted(said: string, bootMs: number): UserError {
  const last = plainText(said).trimEnd().split("\n").slice(-5).join("\n  ");
  const problem = `the console shows no successful boot within ${bootMs / 1000} s${last ? `:\n  ${last}` : "; it is empty"}`;
  return new UserError("smoke-not-booted", problem, "look at the other findings of `npx groundplane doctor`");
}

/** Without a console's colours and cursor movements. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const plainText = (text: string): string => text.replace(/\x1b\[[\d;?]*[a-zA-Z]|\r/g, "").trim();

async function wayIn({ ports }: Host, port: number): Promise<string> {
  if (!(await ports.isFree(port))) return `port ${port} of 127.0.0.1 leads to it`;
  throw new UserError(
    "smoke-no-way-in",
    `nothing listens on port ${port} of 127.0.0.1`,
    "this is an internal error, please report it",
  );
}

async function stop(driver: Hypervisor, shutdownMs: number): Promise<string> {
  await driver.stopMachine(MACHINE, shutdownMs);
  return `the machine is ${(await driver.inspectMachine(MACHINE))?.power ?? "gone"}`;
}

async function removeMachine(driver: Hypervisor): Promise<void> {
  await driver.removeMachine(MACHINE, OWNER);
  await driver.removeSegment(SEGMENT, OWNER);
}

async function removeAll(driver: Hypervisor, { files, folders }: Host, image: SmokeImage | undefined): Promise<string> {
  await removeMachine(driver);
  await image?.remove();
  await files.remove(folders.stack(STACK));
  const left = await driver.listMachines(STACK);
  if (left.length === 0) return "nothing remains";
  throw new UserError(
    "smoke-left",
    `these machines remain: ${left.map(({ name }) => name).join(", ")}`,
    "this is an internal error, please report it",
  );
}

function wordsFor(error: unknown): { readonly text: string; readonly hint?: string } {
  if (error instanceof UserError) return { text: error.problem, hint: error.hint };
  return { text: error instanceof Error ? error.message : String(error) };
}
