import { parse } from "yaml";
import { exampleSettings } from "../support/example-stacks";
import { makeVirtualboxHost } from "../support/virtualbox-host";
import { openVirtualboxProject, type VirtualboxProject } from "../support/virtualbox-project";
import { isRead } from "../support/virtualbox-reads";
import { obtainVirtualboxRoot, type VirtualboxRoot } from "../support/virtualbox-root";
import { type Bench, type BenchRow, quantile, type Round, type StackSettings } from "./bench";
import { bareScript } from "./virtualbox-calls";
import { type Operation, VirtualboxLab } from "./virtualbox-lab";

const stack = `vb-${process.pid.toString(36)}`;
const operations = ["create", "change", "destroy"] as const;
const NOOPS = 3;
const up = ["up", "--yes", "--skip-preview"];

const pools = `options: {keepDataDisks: false}
pools:
  balancers: {count: 2}
  masters: {count: 3}
  workers: {count: 2}
  storage: {count: 3, disks: [{name: brick, sizeGiB: 4}]}
`;

const times: readonly BenchRow[] = [
  {
    name: "virtualbox-create",
    unit: "s",
    what: "the driver makes and starts the 11 machines of `lab` on the real VBoxManage, guests that boot one sector; limit: a plain script of the calls that changed something",
  },
  { name: "virtualbox-change", unit: "s", what: "the driver gives all of them, stopped, more memory; limit: the same" },
  {
    name: "virtualbox-destroy",
    unit: "s",
    what: "the driver removes them, stopped, with disks and images; limit: the same",
  },
];
const calls: readonly BenchRow[] = times.map(({ name }) => ({
  ...{ name: `${name}-calls`, unit: "calls" },
  what: `calls of VBoxManage in \`${name}\`; limit: those that changed something`,
}));
const throughEngine: readonly BenchRow[] = [
  {
    name: "virtualbox-noop",
    unit: "ms",
    what: "`up` of `lab` without a change, for each machine, above the same on the fake driver; guests' answers simulated",
  },
  { name: "virtualbox-noop-calls", unit: "calls", what: "calls of VBoxManage in it, of the whole `lab`" },
];
const disk: BenchRow = {
  name: "virtualbox-disk",
  unit: "MiB",
  what: "disk space of a machine's linked disk at its creation",
};

let root: VirtualboxRoot | undefined;

/** The lab on the real VBoxManage: the driver against the bare calls, and the engine against the fake driver. */
export const virtualbox: Bench = {
  configurations: [exampleSettings("lab"), parse(pools) as StackSettings],
  onlyWhenNamed: true,
  rows: [...times, ...calls, ...throughEngine, disk],
  async unavailable() {
    const obtained = await obtainVirtualboxRoot();
    if (typeof obtained === "string") return obtained;
    root = obtained;
    return undefined;
  },
  async measure(round) {
    const tree = root as VirtualboxRoot;
    const wantsAny = (rows: readonly BenchRow[]) => rows.some(({ name }) => round.wants(name));
    if (wantsAny([...times, ...calls, disk])) await keepingEnvironment(() => besideBareCalls(tree, round));
    round.signal.throwIfAborted();
    if (wantsAny(throughEngine)) await keepingEnvironment(() => withoutChange(tree, round));
  },
};

/** One host after the other, so that neither runs beside the machines of the other. */
async function besideBareCalls(tree: VirtualboxRoot, round: Round): Promise<void> {
  const bare = makeVirtualboxHost(tree);
  // The host that was created last is in use.
  const host = makeVirtualboxHost(tree);
  try {
    const lab = await VirtualboxLab.plan(stack);
    for (const image of lab.images) for (const each of [bare, host]) each.addImage(image);
    const taken: { name: (typeof operations)[number]; done: Operation; script: ReturnType<typeof bareScript> }[] = [];
    for (const name of operations) {
      round.signal.throwIfAborted();
      const done = await lab[name]();
      taken.push({ name, done, script: bareScript(name, done.changes, host, bare) });
      if (name !== "create") continue;
      round.record(disk.name, { value: await lab.diskMib() });
      await lab.powerOff(host);
    }
    for (const { name, done, script } of taken) {
      round.signal.throwIfAborted();
      const limit = await script.run();
      round.record(`virtualbox-${name}`, { value: done.seconds, limit });
      round.record(`virtualbox-${name}-calls`, { value: done.count, limit: done.changes.length });
      if (name === "create") await lab.powerOff(bare);
    }
  } finally {
    await host.close();
    await bare.close();
  }
}

/** Both stacks are up and alternate, so that running machines cost the engine the same in both. */
async function withoutChange(tree: VirtualboxRoot, round: Round): Promise<void> {
  const project = await openVirtualboxProject(tree);
  const stacks = { virtualbox: stack, fake: `${stack}-fake` };
  try {
    for (const driver of ["fake", "virtualbox"] as const) {
      project.configure(stacks[driver], `driver: ${driver}\n${pools}`);
      await project.mustPulumi(stacks[driver], "stack", "init");
      await project.mustPulumi(stacks[driver], ...up);
      round.signal.throwIfAborted();
    }
    const seconds: Record<keyof typeof stacks, number[]> = { virtualbox: [], fake: [] };
    for (let turn = 0; turn < NOOPS; turn++) {
      for (const driver of ["fake", "virtualbox"] as const) {
        project.host.forgetCalls();
        seconds[driver].push(await secondsOf(project, stacks[driver]));
        round.signal.throwIfAborted();
      }
    }
    const more = quantile(seconds.virtualbox, 0.5) - quantile(seconds.fake, 0.5);
    round.record("virtualbox-noop", { value: (more * 1000) / (await VirtualboxLab.plan(stack)).size });
    const asked = project.host.calls();
    const changing = asked.find((call) => !isRead(call.split(" ")));
    if (changing !== undefined) throw new Error(`an up without changes ran: ${changing}`);
    round.record("virtualbox-noop-calls", { value: asked.length });
  } finally {
    await project.close();
  }
}

async function secondsOf(project: VirtualboxProject, of: string): Promise<number> {
  const started = performance.now();
  await project.mustPulumi(of, ...up);
  return (performance.now() - started) / 1000;
}

/** A VirtualBox host changes the environment of this process; this restores it for the benches that follow. */
async function keepingEnvironment(action: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  try {
    await action();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
