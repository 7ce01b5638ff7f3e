import { connectAnyGuest } from "../guests/connect-guest";
import { forgetGuest, type RunResult } from "../guests/guest-ssh";
import type { Hypervisor } from "../hypervisors/hypervisor";
import type { Timeline } from "../model/contract-report";
import type { GuestConnection } from "../model/resource-types";
import { findNode, type StackOutputs } from "../model/stack-outputs";
import { UserError } from "../model/user-error";
import { type DataCenterPlan, nodesOf, type Role } from "../stacks/plan/data-center-plan";
import { writeRepeatedly } from "./acknowledged-writes";
import type { ApiClient } from "./api-client";
import { probeApi } from "./api-probe";
import { untilHostRests } from "./resting-host";

const PROBE_MS = 10;
/** Before a fault, as there is no gap without a good answer on either side. */
const BEFORE_MS = 1_500;
const COMMAND_MS = 15_000;

export interface LaboratoryParts {
  readonly plan: DataCenterPlan;
  readonly outputs: StackOutputs;
  readonly hypervisor: Hypervisor;
  readonly api: ApiClient;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** 1-based. */
  readonly round: number;
  /** How long a fault lasts that has no end of its own. */
  readonly minutes: number;
}

/** What a client saw around a fault. */
export interface Observed {
  readonly apiGap: number;
  readonly writeGap: number;
  readonly lostWrites: number;
  readonly timeline: Timeline;
}

/** A living stack in which faults are made and watched. */
export class Laboratory {
  constructor(private readonly parts: LaboratoryParts) {}

  get plan(): DataCenterPlan {
    return this.parts.plan;
  }
  get api(): ApiClient {
    return this.parts.api;
  }
  get round(): number {
    return this.parts.round;
  }
  get minutes(): number {
    return this.parts.minutes;
  }
  get signal(): AbortSignal {
    return this.parts.signal;
  }
  get hypervisor(): Hypervisor {
    return this.parts.hypervisor;
  }

  say(text: string): void {
    this.parts.say(text);
  }

  names(role: Role): readonly string[] {
    return nodesOf(this.plan, role).map(({ name }) => name);
  }

  /** Cables first, then power; ends the wait for a goodbye that cannot come. */
  async kill(...names: readonly string[]): Promise<void> {
    const { hardKill } = this.hypervisor;
    if (!hardKill) throw new UserError("no-hard-kill", `${this.hypervisor.name} cannot cut a machine's power`, "");
    await Promise.all(names.map((name) => hardKill.hardKill({ stack: this.plan.stack, name })));
    for (const name of names) forgetGuest(this.connection(name));
  }

  async start(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.hypervisor.startMachine({ stack: this.plan.stack, name })));
  }

  async setLink(name: string, up: boolean): Promise<void> {
    const { links } = this.hypervisor;
    if (!links) throw new UserError("no-link-control", `${this.hypervisor.name} cannot pull cables`, "");
    await links.setLink({ stack: this.plan.stack, name }, up);
    forgetGuest(this.connection(name));
  }

  /** Runs a script as root on a node. A non-zero exit is a result. */
  async on(name: string, script: string, timeoutMs = COMMAND_MS): Promise<RunResult> {
    const guest = await connectAnyGuest(this.connection(name), { signal: AbortSignal.timeout(timeoutMs) });
    return guest.run(["/bin/bash", "-c", script], { timeoutMs });
  }

  /** Throws `Error` when the script does not succeed. */
  async must(name: string, script: string): Promise<string> {
    const { code, stdout, stderr } = await this.on(name, script);
    if (code !== 0) throw new Error(`${name}: ${script}: ${stderr.trim() || `exit code ${code}`}`);
    return stdout;
  }

  /** Balancers that have the floating IP on their interface. */
  async holders(): Promise<readonly string[]> {
    const { floatingIp } = this.plan.balancing;
    const shown = await Promise.all(
      this.names("balancer").map(async (name) => {
        const { stdout } = await this.on(name, "ip -4 -brief address show dev dmz");
        return stdout.includes(` ${floatingIp}/`) ? [name] : [];
      }),
    );
    return shown.flat();
  }

  /** The one balancer with the floating IP. */
  async holder(): Promise<string> {
    const [holder, ...others] = await this.holders();
    if (holder !== undefined && others.length === 0) return holder;
    throw new Error(`the floating IP is held by ${[holder, ...others].join(" and ") || "nobody"}`);
  }

  async apiAnswers(): Promise<boolean> {
    return this.api.ask("GET", "/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Makes a fault while a client asks and writes, and goes on watching for `afterMs`. */
  async watch(of: string, fault: () => Promise<void>, afterMs: number): Promise<Observed> {
    await untilHostRests(this.signal);
    const probe = probeApi(`https://127.0.0.1:${this.plan.hostPorts.api}/readyz`, PROBE_MS);
    const writes = writeRepeatedly(this.api);
    let faultMs = 0;
    try {
      await this.pause(BEFORE_MS);
      faultMs = performance.now();
      await fault();
      await this.pause(afterMs);
    } catch (error) {
      await Promise.allSettled([probe.stop(), writes.stop()]);
      throw error;
    }
    const [asked, written] = await Promise.all([probe.stop(), writes.stop()]);
    if (asked.asked === asked.failed) throw new Error(`the API never answered: ${JSON.stringify(asked.errors)}`);
    // Otherwise nothing could have been lost, and no gap been seen.
    if (written.asked === written.failed)
      throw new Error(`no write was ever acknowledged: ${JSON.stringify(written.errors)}`);
    const timeline = { of, faultMs, samples: asked.samples };
    return {
      apiGap: asked.longestGapMs,
      writeGap: written.longestGapMs,
      lostWrites: written.lost.length,
      timeline,
    };
  }

  async until(what: string, deadlineMs: number, isSo: () => Promise<boolean>): Promise<number> {
    const started = performance.now();
    for (;;) {
      if (await isSo().catch(() => false)) return Math.round(performance.now() - started);
      if (performance.now() - started > deadlineMs) throw new Error(`${what}: not within ${deadlineMs / 1000} s`);
      await this.pause(250);
    }
  }

  async pause(milliseconds: number): Promise<void> {
    this.signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, milliseconds);
      this.signal.addEventListener("abort", finish, { once: true });
    });
    this.signal.throwIfAborted();
  }

  private connection(name: string): GuestConnection {
    const { outputs } = this.parts;
    const { address, hostKey } = findNode(outputs, name);
    return {
      bastionPort: outputs.gatewaySsh.port,
      bastionHostKey: outputs.gatewaySsh.hostKey,
      address,
      hostKey,
      privateKey: outputs.sshPrivateKey,
    };
  }
}
