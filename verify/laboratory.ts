import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import { forgetGuest, type RunResult } from "../guests/guest-ssh";
import type { Hypervisor } from "../hypervisors/hypervisor";
import type { Timeline } from "../model/contract-report";
import type { GuestConnection } from "../model/resource-types";
import type { Role } from "../model/roles";
import { findNode } from "../model/stack-outputs";
import { UserError } from "../model/user-error";
import { type DataCenterPlan, nodesOf } from "../stacks/plan/data-center-plan";
import { writeRepeatedly } from "./acknowledged-writes";
import type { ApiClient } from "./api-client";
import { probeApi } from "./api-probe";
import type { LaboratoryParts } from "./laboratory-parts";

const PROBE_MS = 10;
/** A gap needs a successful response before the fault. */
const BEFORE_MS = 1_500;
const COMMAND_MS = 15_000;

/** What a client observed around a fault. */
export interface Observed {
  readonly apiGap: number;
  readonly writeGap: number;
  readonly lostWrites: number;
  readonly timeline: Timeline;
}

/** A running stack in which faults are injected and observed. */
export class Laboratory {
  /** What is broken under the eyes of a client. */
  private observing = false;

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
  get machine(): string | undefined {
    return this.parts.machine;
  }
  get keepsConnections(): boolean {
    return this.parts.keepsConnections === true;
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

  /** The machines to break in turn: all of these, or the one that the caller has chosen. */
  chosen(names: readonly string[]): readonly string[] {
    return names.filter((name) => (this.machine ?? name) === name);
  }

  /** Disconnects the links first, then the power, so that the machine cannot close its connections. */
  async kill(...names: readonly string[]): Promise<void> {
    const { hardKill } = this.hypervisor;
    if (!hardKill)
      throw new UserError("no-hard-kill", `the driver ${this.hypervisor.name} cannot cut the power of a machine`, "");
    if (!this.observing) this.parts.onBroken?.(names.join(" and "));
    await Promise.all(names.map((name) => hardKill.hardKill({ stack: this.plan.stack, name })));
    for (const name of names) forgetGuest(this.connection(name));
  }

  async start(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.hypervisor.startMachine({ stack: this.plan.stack, name })));
  }

  async setLink(name: string, up: boolean): Promise<void> {
    const { links } = this.hypervisor;
    if (!links)
      throw new UserError("no-link-control", `the driver ${this.hypervisor.name} cannot disconnect links`, "");
    await links.setLink({ stack: this.plan.stack, name }, up);
    forgetGuest(this.connection(name));
  }

  /** Runs a script as root on a node. A non-zero exit is a result. */
  async on(name: string, script: string, timeoutMs = COMMAND_MS): Promise<RunResult> {
    const guest = await connectAnyGuest(this.connection(name), { signal: AbortSignal.timeout(timeoutMs) });
    return guest.run(["/bin/bash", "-c", script], { timeoutMs });
  }

  /** Throws `Error` when the script fails. */
  async must(name: string, script: string): Promise<string> {
    const { code, stdout, stderr } = await this.on(name, script);
    if (code !== 0) throw new Error(`${name}: ${script}: ${stderr.trim() || `exit code ${code}`}`);
    return stdout;
  }

  /** Balancers with the floating IP on their interface. */
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

  /** The only balancer with the floating IP. */
  async holder(): Promise<string> {
    const [holder, ...others] = await this.holders();
    if (holder !== undefined && others.length === 0) return holder;
    throw new Error(`the floating IP is held by ${[holder, ...others].join(" and ") || "no balancer"}`);
  }

  async apiResponds(): Promise<boolean> {
    return this.api.request("GET", "/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Injects a fault while a client probes and writes, and continues for `afterMs`. */
  async observe(of: string, fault: () => Promise<void>, afterMs: number): Promise<Observed> {
    await this.parts.untilIdle(this.signal);
    const probe = probeApi(`https://127.0.0.1:${this.plan.hostPorts.api}/readyz`, PROBE_MS);
    const writes = writeRepeatedly(this.parts.outputs.kubeconfig);
    let faultMs = 0;
    try {
      await Promise.all([probe.begun, writes.begun]);
      await this.pause(BEFORE_MS);
      faultMs = performance.now();
      this.observing = true;
      this.parts.onBroken?.(of);
      await fault();
      await this.pause(afterMs);
    } catch (error) {
      await Promise.allSettled([probe.stop(), writes.stop()]);
      throw error;
    } finally {
      this.observing = false;
    }
    const [probed, written] = await Promise.all([probe.stop(), writes.stop()]);
    if (probed.sent === probed.failed) throw new Error(`the API did not respond: ${JSON.stringify(probed.errors)}`);
    // Without acknowledged writes, neither losses nor gaps are visible.
    if (written.sent === written.failed)
      throw new Error(`no write was acknowledged: ${JSON.stringify(written.errors)}`);
    const timeline = { of, faultMs, samples: probed.samples };
    return {
      apiGap: probed.longestGapMs,
      writeGap: written.longestGapMs,
      lostWrites: written.lost.length,
      timeline,
    };
  }

  async until(what: string, deadlineMs: number, condition: () => Promise<boolean>): Promise<number> {
    const started = performance.now();
    for (;;) {
      if (await condition().catch(() => false)) return Math.round(performance.now() - started);
      if (performance.now() - started > deadlineMs) throw new Error(`${what}: timed out after ${deadlineMs / 1000} s`);
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
    return connectionOf(findNode(outputs, name), outputs);
  }
}
