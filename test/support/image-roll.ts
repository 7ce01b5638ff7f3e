import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { connectAnyGuest } from "../../guests/connect-guest";
import { readNode } from "../../guests/fake-nodes";
import type { ConnectGuest } from "../../guests/guest";
import { UnreachableError } from "../../guests/guest-ssh";
import { dataFolder, stackFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { createFakeDriver } from "../../hypervisors/fake/fake-driver";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import type { RecordedRolls } from "../../model/measured/roll-figures";
import type { NodeImageInputs } from "../../model/node-image-types";
import type { BootstrapInputs, MachineInputs, MembershipInputs } from "../../model/resource-types";
import { isClusterNode } from "../../model/roles";
import { bootstrapResource } from "../../provider/resources/bootstrap";
import { machineResource } from "../../provider/resources/machine";
import { membershipResource } from "../../provider/resources/membership";
import { nodeImageResource } from "../../provider/resources/node-image";
import type { Context } from "../../provider/rpc/resource-handler";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { examplePlan } from "./example-plans";
import { type RecordedResource, recordDataCenter } from "./recorded-graph";

/** The node images of a stack on simulated machines, in processes that may die at any step. */

/** The image of the next plan. */
export const other = "kubernetes-bbbbbbbbbbbb";

/** The process dies at a step: all that follows in it fails as well. */
class Died extends Error {}

/** The answer of a guest's command instead of its own; of `connect`: why there is no connection. */
type Answer = (name: string, command: string) => Promise<string | undefined>;

/** Commands and requests that only ask. */
const asks = /: (?:node-ready|cluster-id|cluster-status|cluster-ready|etcd-complete|kubectl \S+ (?:get|wait)) ?/;

/** The hypervisor and the guests as a process sees them that dies after some steps, of which each begins and ends a change. */
class DyingProcess {
  readonly log: string[] = [];
  readonly warnings: string[] = [];
  /** What previews say was measured. */
  bench: RecordedRolls = [];
  private left: number;

  constructor(
    private readonly plan: DataCenterPlan,
    steps: number,
    private readonly answer: Answer,
  ) {
    this.left = steps;
  }

  readonly driverByName = (): Hypervisor => {
    const driver = createFakeDriver(localHost);
    return { ...this.dying(driver), systemDisks: this.dying(driver.systemDisks ?? assert.fail()) };
  };

  readonly connect: ConnectGuest = async (connection, options) => {
    const guest = await connectAnyGuest(connection, {
      ...options,
      deadlineMs: Math.min(options?.deadlineMs ?? 0, 500),
    });
    const name = this.plan.nodes.find(({ address }) => address === connection.address)?.name ?? "";
    const silence = await this.answer(name, "connect");
    if (silence !== undefined) throw new UnreachableError(silence);
    return {
      ...guest,
      readFiles: (paths) => guest.readFiles(paths),
      writeFiles: (files) => guest.writeFiles(files),
      run: async (argv, options) => {
        const command = [path.basename(argv[0] ?? ""), ...argv.slice(1)].join(" ");
        const isChange = !asks.test(`${name}: ${command} `);
        this.step(`${name}: ${command}`, isChange);
        const said = await this.answer(name, command);
        const result = said === undefined ? await guest.run(argv, options) : { code: 1, stdout: said, stderr: "" };
        this.step(undefined, isChange);
        return result;
      },
    };
  };

  private readonly cancellation = new AbortController();

  readonly context: Context = {
    ...{ urn: "urn:pulumi:stack::groundplane::t::n", name: "n", type: "t", timeoutSeconds: 6 },
    signal: this.cancellation.signal,
    log: (severity, message, ephemeral) => {
      if (!ephemeral) this.warnings.push(`${severity}: ${message}`);
    },
  };

  /** Of the machine, and of the node that follows an image. */
  get resources() {
    return {
      machine: machineResource(this.driverByName),
      image: nodeImageResource(this.connect, this.driverByName, this.bench),
      membership: membershipResource(this.connect, this.driverByName, 0),
      bootstrap: bootstrapResource(this.connect),
    };
  }

  get isDead(): boolean {
    return this.left < 0;
  }

  /** At once, whatever is left. */
  die(): void {
    this.left = -1;
  }

  /** As Ctrl-C does. */
  cancel(): void {
    this.cancellation.abort();
  }

  private step(what?: string, isChange = true): void {
    // A death before or after a question leaves the same as one at the change before it.
    if (this.left < 0 || (isChange && this.left-- <= 0)) throw new Died();
    if (what !== undefined) this.log.push(what);
  }

  private dying<T extends object>(target: T): T {
    const wrapped = Object.entries(target).map(([name, member]) => {
      if (typeof member !== "function" || /^(?:inspect|list|problems)/.test(name)) return [name, member];
      return [
        name,
        async (...args: unknown[]) => {
          this.step(`${(args[0] as { readonly name: string }).name}: ${name}`);
          const result = await member.apply(target, args);
          this.step();
          return result;
        },
      ];
    });
    return Object.fromEntries(wrapped);
  }
}

const plain = <T>(inputs: object): T =>
  JSON.parse(JSON.stringify(inputs, (_key, value) => (value?.secret !== undefined ? value.secret : value)));

const graphs = new Map<string, Promise<readonly RecordedResource[]>>();

function graphOf(plan: DataCenterPlan): Promise<readonly RecordedResource[]> {
  const graph = graphs.get(plan.stack) ?? recordDataCenter(plan, { driver: "fake" });
  graphs.set(plan.stack, graph);
  return graph;
}

/** One node of an example stack, or of another plan. */
export function rollOf(example: string, node: string, plan = examplePlan(example)) {
  const stack = plan.stack;

  class Process extends DyingProcess {
    constructor(steps = Number.POSITIVE_INFINITY, answer: Answer = async () => undefined) {
      super(plan, steps, answer);
    }
  }

  async function inputsOf<T>(type: string, name: string): Promise<T> {
    const found = (await graphOf(plan)).find((one) => one.type === `groundplane:index:${type}` && one.name === name);
    return plain<T>(found?.inputs ?? assert.fail(`${type} ${name}`));
  }

  const stateOf = async (name: string) =>
    (await createFakeDriver(localHost).inspectMachine({ stack, name })) ?? assert.fail(`no machine ${name}`);
  const folder = (...names: string[]) => path.join(dataFolder(), "fake", stack, ...names);
  const cluster = () => JSON.parse(fs.readFileSync(folder("cluster.json"), "utf8"));

  /** Creates the stack again. Returns the image of the node. */
  async function standingStack(): Promise<string> {
    fs.rmSync(path.join(dataFolder(), "fake"), { recursive: true, force: true });
    fs.rmSync(stackFolder(stack), { recursive: true, force: true });
    const { resources, context } = new Process();
    const { machine, bootstrap, membership } = resources;
    for (const { name } of plan.nodes)
      await machine.create(await inputsOf<MachineInputs>("Machine", name), false, context);
    await bootstrap.create(await inputsOf<BootstrapInputs>("Bootstrap", "bootstrap"), false, context);
    for (const { type, name } of await graphOf(plan)) {
      if (type !== "groundplane:index:Membership") continue;
      const inputs = await inputsOf<MembershipInputs>("Membership", name);
      const generation = (await stateOf(inputs.node)).generation;
      await membership.create({ ...inputs, generation }, false, context);
    }
    return (await stateOf(node)).spec.image;
  }

  /** What `up` does with the machine of the node, before it asks any node: refresh, compare, update. */
  async function upMachine({ resources, context }: DyingProcess, image: string): Promise<void> {
    const inputs = await inputsOf<MachineInputs>("Machine", node);
    const olds = { inputs, outputs: {} as never };
    const machine =
      (await resources.machine.read?.(`fake/${stack}/${node}`, olds, context)) ?? assert.fail("no machine");
    if (machine.outputs.power !== "running" || machine.outputs.drift.length > 0)
      await resources.machine.update("", { ...inputs, image }, machine, false, context);
  }

  /**
   * What `up` does with the machine and the image of the node.
   *
   * @param formerRelease the one that the state has, where the image is of another one
   */
  async function up(process: DyingProcess, image: string, formerRelease?: string): Promise<void> {
    const { resources, context } = process;
    await upMachine(process, image);
    const inputs = { ...(await inputsOf<NodeImageInputs>("NodeImage", `${node}-image`)), image };
    const known = { inputs: { ...inputs, release: formerRelease ?? inputs.release }, outputs: {} as never };
    const seen = (await resources.image.read?.("", known, context)) ?? assert.fail("no image");
    if (seen.outputs.image !== image || !seen.outputs.settled)
      await resources.image.update("", inputs, seen, false, context);
  }

  async function assertConverged(image: string, generation: string, what = ""): Promise<void> {
    const state = await stateOf(node);
    const shown = {
      image: state.spec.image,
      former: state.formerImage,
      power: state.power,
      generation: state.generation,
    };
    assert.deepEqual(shown, { image, former: undefined, power: "running", generation }, what);
    const joins = plan.nodes.some(
      ({ name, roles }) => name === node && (isClusterNode(roles) || roles.includes("etcd")),
    );
    assert.equal(cluster().nodes[node], joins ? generation : undefined, `${what}: it is in the cluster`);
    assert.ok(!cluster().cordoned?.includes(node), `${what}: it gets pods`);
    assert.ok(!fs.existsSync(folder("machines", node, "former")), what);
    const kept = ["kept-marks", "kept-backups", "kept-leases", "kept-volume", "kept-images"];
    const left = [...kept, "left-members", "moved-etcd"].filter((name) =>
      fs.existsSync(path.join(stackFolder(stack), name)),
    );
    assert.deepEqual(left, [], `${what}: nothing is left of the roll`);
    const names = plan.nodes.filter(({ roles }) => roles.includes("etcd")).map(({ name }) => name);
    assert.deepEqual(Object.keys(cluster().members).sort(), [...names].sort(), what);
    const seen = await readNode({ stack, name: node });
    assert.equal(seen.memberId, cluster().members[node], `${what}: its data are those of the member`);
  }

  /** Those of the gateway. */
  const leases = {
    file: folder("machines", "gateway", "leases"),
    write: (text: string) => fs.writeFileSync(leases.file, text),
    read: () => (fs.existsSync(leases.file) ? fs.readFileSync(leases.file, "utf8") : undefined),
  };

  /** What the storage machine knows. */
  const volume = {
    file: folder("machines", node, "volume"),
    write: (text: string) => fs.writeFileSync(volume.file, text),
    read: () => (fs.existsSync(volume.file) ? fs.readFileSync(volume.file, "utf8") : undefined),
  };

  /** @returns whether the process died before it was done; what it reports while it dies does not matter */
  async function dies(steps: number, image: string, answer?: Answer, formerRelease?: string): Promise<boolean> {
    const process = new Process(steps, answer);
    try {
      await up(process, image, formerRelease);
    } catch (error) {
      // A roll that fails before it is killed has been taken back.
      if (!process.isDead && answer === undefined) throw error;
    }
    return process.isDead;
  }

  /** @returns whether it was cancelled at a question to a guest before it was done */
  async function isCancelled(steps: number, image: string, answer: Answer): Promise<boolean> {
    let asked = 0;
    const process = new Process(Number.POSITIVE_INFINITY, (name, command) => {
      if (asked++ === steps) process.cancel();
      return answer(name, command);
    });
    await up(process, image).catch(() => undefined);
    return process.context.signal.aborted;
  }

  /** A guest whose services do not start from the other image. */
  const broken: Answer = async (name, command) =>
    name === node && command === "node-ready" && (await stateOf(node)).spec.image === other
      ? "containerd does not run"
      : undefined;
  /** The same after it has joined. */
  const brokenAsMember: Answer = async (name, command) =>
    name === node && (await readNode({ stack, name })).phase === "member" ? broken(name, command) : undefined;

  return {
    ...{ stack, node, plan, Process, inputsOf, standingStack, stateOf, cluster, folder },
    ...{ up, upMachine, assertConverged, dies, isCancelled, broken, brokenAsMember, leases, volume },
  };
}
