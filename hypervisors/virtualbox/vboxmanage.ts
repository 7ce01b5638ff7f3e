import { CommandError } from "../../model/commands";
import { driverRequirements, installHint } from "../../model/driver-requirements";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { findVBoxManage } from "../choice/vboxmanage-program";
import type { Argv, Command, Lookups, Read } from "./command-kinds";
import * as commands from "./commands";
import { type Dialect, dialectFor, withoutWarning } from "./dialect";
import { failureOf, type Reply, VirtualBoxError } from "./known-issues";
import {
  type Medium,
  parseFields,
  parseMedia,
  parseOsTypes,
  parseVmInfo,
  parseVmList,
  type VmInfo,
} from "./parse-output";
import { withRegistryLock } from "./registry-lock";
import { isBusy } from "./vm-state";

/** Runs VBoxManage once. Throws only if the program is missing; a failed command is a normal reply. */
export type Execute = (argv: Argv, timeoutMs: number) => Promise<Reply>;

export interface CallOptions {
  /** Default: 60 s, because short calls sometimes stall for 10 s. */
  readonly timeoutMs?: number;
}

/** Operations for the holder of the lock. */
export interface Session extends Lookups {
  /**
   * @returns its output; empty if the call failed and the command is done anyway
   * @throws VirtualBoxError if the call fails
   */
  call(command: Command, options?: CallOptions): Promise<string>;
  /** @param maxAgeMs maximum age of a cached answer; 0 always reads again */
  vm(uuid: string, maxAgeMs?: number): Promise<VmInfo | undefined>;
  media(maxAgeMs?: number): Promise<readonly Medium[]>;
}

export interface VirtualBox {
  /** The host that VirtualBox runs on. */
  readonly host: Host;
  /** Runs `action` while no other process on this host calls VBoxManage. Not reentrant. */
  session<T>(action: (session: Session) => Promise<T>): Promise<T>;
  /** Converts an image without the lock, because a conversion takes long and does not use VBoxSVC. */
  convert(argv: Argv): Promise<void>;
  /** @throws UserError if VirtualBox is missing or too old */
  dialect(): Promise<Dialect>;
}

/** The dependencies of a VirtualBox; tests pass their own. */
export interface VirtualBoxParts {
  readonly host: Host;
  readonly execute: Execute;
  readonly locked: <T>(action: () => Promise<T>) => Promise<T>;
}

const SHORT_MS = 60_000;
const CONVERT_MS = 30 * 60_000;
/** VBoxManage cancels its operation on SIGTERM. After SIGKILL, VBoxSVC would complete the operation. */
const GRACE_MS = 15_000;
const TRIES = 6;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

/** In milliseconds. A random part keeps processes from repeating their calls together. */
function pauseAfter(tries: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 4);
}

export function createVirtualBox({ host, execute, locked }: VirtualBoxParts): VirtualBox {
  const answers = new Map<string, { readonly at: number; readonly text: string }>();

  async function call(command: Command, { timeoutMs = SHORT_MS }: CallOptions = {}): Promise<string> {
    for (let tries = 1; ; tries++) {
      const reply = await execute(command.argv, timeoutMs);
      forget(command);
      const failure = failureOf(command.argv, reply);
      if (failure === undefined) return withoutWarning(reply.stdout.replaceAll("\r", "")).text;
      const mayPass = tries < TRIES && (isUnexplainedRead(command, failure) || (await mayRepeat(execute, failure)));
      // VBoxSVC may complete the call in this time.
      if (mayPass) await host.clock.sleep(pauseAfter(tries));
      // The call may have taken effect before it failed, or another program has done the same.
      if ("done" in command && (await command.done(session))) return "";
      if (!mayPass || (command.kind === "addition" && mayHaveArrived(failure))) throw failure;
    }
  }

  /** Drops cached answers that a changing call made obsolete. */
  function forget({ kind, argv }: Command): void {
    if (kind === "read") return;
    const machine = argv.find((word) => uuidPattern.test(word));
    for (const key of answers.keys()) {
      if (machine === undefined || key.startsWith("list ") || key.includes(machine)) answers.delete(key);
    }
  }

  async function read(command: Read, maxAgeMs: number): Promise<string> {
    const key = command.argv.join(" ");
    const known = answers.get(key);
    if (known && host.clock.now() - known.at < maxAgeMs) return known.text;
    const text = await call(command);
    answers.set(key, { at: host.clock.now(), text });
    return text;
  }

  const session: Session = {
    call,
    list: async (command) => parseFields(await call(command)),
    vms: async () => parseVmList(await read(commands.listVms(), 0)),
    media: async (maxAgeMs = 0) => parseMedia(await read(commands.listDisks(), maxAgeMs)),
    async vm(uuid, maxAgeMs = 0) {
      try {
        return parseVmInfo(await read(commands.showVm(uuid), maxAgeMs));
      } catch (error) {
        if (error instanceof VirtualBoxError && error.id === "vm-missing") return undefined;
        throw error;
      }
    },
  };

  let dialect: Promise<Dialect> | undefined;
  return {
    host,
    session: (action) => locked(() => action(session)),
    convert: (argv) => convert(execute, argv),
    dialect() {
      dialect ??= locked(async () => {
        const version = await call(commands.showVersion());
        return dialectFor(version, parseOsTypes(await call(commands.listOsTypes())), host.facts.platform);
      });
      // Read again after a failure: VirtualBox may have been installed in the meantime.
      dialect.catch(() => {
        dialect = undefined;
      });
      return dialect;
    },
  };
}

/** A read changes nothing, and VBoxSVC reports many states of a machine that ends as different errors. */
const isUnexplainedRead = ({ kind }: Command, { id }: VirtualBoxError): boolean =>
  kind === "read" && id === "virtualbox-failed";

/** VBoxManage ends before it sends the call if it cannot reach VBoxSVC. `server-lost` may also be reported in the middle of a call. */
const mayHaveArrived = ({ id }: VirtualBoxError): boolean => id !== "no-com-server";

/** A running machine stays locked by its own session, so a repeated call would fail again. */
async function mayRepeat(execute: Execute, failure: VirtualBoxError): Promise<boolean> {
  if (failure.retry !== "unless-running") return failure.retry === "always";
  const machine = failure.argv.find((word) => uuidPattern.test(word));
  if (machine === undefined) return true;
  const reply = await execute(commands.showVm(machine).argv, SHORT_MS);
  return !isBusy(parseVmInfo(reply.stdout));
}

async function convert(execute: Execute, argv: Argv): Promise<void> {
  const failure = failureOf(argv, await execute(argv, CONVERT_MS));
  if (failure) throw failure;
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The VirtualBox of this host. */
export const hostVirtualBox = (host: Host): VirtualBox =>
  createVirtualBox({
    host,
    execute: (argv, timeoutMs) => executeVBoxManage(host, argv, timeoutMs),
    locked: (action) => withRegistryLock(host, action),
  });

const virtualBoxMissing = (): UserError =>
  new UserError(
    "virtualbox-missing",
    "VirtualBox is not installed: VBoxManage was not found",
    `${installHint(driverRequirements.virtualbox.hypervisor)} (virtualbox.org), or name its program in GROUNDPLANE_VBOXMANAGE`,
  );

export async function executeVBoxManage(host: Host, argv: readonly string[], timeoutMs: number): Promise<Reply> {
  const binary = await findVBoxManage(host);
  if (binary === undefined) throw virtualBoxMissing();
  const started = host.clock.now();
  try {
    const result = await host.run([binary, ...argv], {
      env: { LC_ALL: "C.UTF-8" },
      timeoutMs,
      graceMs: GRACE_MS,
    });
    return { ...result, signal: null };
  } catch (error) {
    if (!(error instanceof CommandError) || (error.exitCode === null && error.signal === null)) throw error;
    const { exitCode, signal, stdout, stderr } = error;
    return { exitCode, signal, stdout, stderr, timedOut: host.clock.now() - started >= timeoutMs };
  }
}
