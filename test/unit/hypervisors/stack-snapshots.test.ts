import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriverRecord } from "../../../hypervisors/machine-records";
import { finishRestore } from "../../../hypervisors/snapshots/restore-snapshot";
import type { SnapshotMethod } from "../../../hypervisors/snapshots/snapshot-method";
import { stackSnapshots } from "../../../hypervisors/snapshots/stack-snapshots";
import { UserError } from "../../../model/user-error";
import { RecordingHost } from "../../support/recording-host";

class Died extends Error {}

const names = ["master-1", "master-2", "worker-1"];
const kept = { stack: "lab", name: "kept" };

/** Machines whose disk is one text. The process may die before each step that a driver does. */
class World {
  readonly host = new RecordingHost();
  readonly disks = new Map(names.map((name) => [name, "before"]));
  readonly running = new Set(names);
  readonly paused = new Set<string>();
  records: DriverRecord[] = names.map((name) => ({
    ...{ owner: { stack: "lab", urn: name }, generation: `of ${name}`, complete: true },
    spec: { stack: "lab", name, image: "a", disks: [] } as unknown as DriverRecord["spec"],
  }));
  bytes = 100;
  left = Number.POSITIVE_INFINITY;
  died = false;

  readonly method: SnapshotMethod = {
    driver: "fake",
    listMachines: async () => this.records.map(({ spec }) => spec),
    readRecord: async ({ name }) => this.records.find(({ spec }) => spec.name === name),
    withMachineLock: (_machine, action) => action(),
    isRunning: async ({ name }) => this.running.has(name),
    bytesOf: async () => this.bytes,
    pause: async (specs) => {
      for (const { name } of specs) {
        this.step();
        this.paused.add(name);
      }
      return undefined;
    },
    resume: async (specs) => {
      for (const { name } of specs) {
        this.step();
        this.paused.delete(name);
      }
    },
    save: async ({ name }, { folder }) => {
      this.step();
      assert.ok(!this.running.has(name) || this.paused.size === this.running.size, "all of them stand still");
      await this.host.files.writeAtomic(`${folder}/disk`, this.disks.get(name) ?? "");
    },
    putBack: async ({ name }, { folder }) => {
      assert.ok(!this.running.has(name));
      this.step();
      this.disks.set(name, "half");
      this.step();
      this.disks.set(name, (await this.host.files.readText(`${folder}/disk`)) ?? assert.fail("no disk"));
    },
    cutPower: async ({ name }) => {
      this.step();
      this.running.delete(name);
    },
    start: async ({ name }) => {
      this.step();
      this.running.add(name);
    },
  };

  get snapshots() {
    return stackSnapshots(this.host, this.method);
  }

  /** A dead process does nothing more, not even in its `finally`. */
  step(): void {
    if (this.died || this.left-- <= 0) {
      this.died = true;
      throw new Died();
    }
  }

  async killedAfter(steps: number, action: () => Promise<unknown>): Promise<boolean> {
    this.left = steps;
    await action().catch((error: unknown) => assert.ok(error instanceof Died, String(error)));
    const { died } = this;
    this.left = Number.POSITIVE_INFINITY;
    this.died = false;
    return died;
  }

  /** As every driver starts a machine. */
  async up(): Promise<void> {
    for (const record of this.records) {
      await finishRestore(this.host, this.method, record);
      this.paused.delete(record.spec.name);
      this.running.add(record.spec.name);
    }
  }
}

const problem = (id: string, text: RegExp) => (error: unknown) =>
  error instanceof UserError && error.id === id && text.test(error.message);

test("a creation that is killed before any step is ended by the next one", async () => {
  for (let steps = 0; ; steps++) {
    const world = new World();
    const died = await world.killedAfter(steps, () => world.snapshots.createSnapshot(kept));
    if (!died) return assert.ok(steps > 6);
    // What a process that died could still write, a killed one does not: its mark stays.
    await world.host.files.writeJson("/data/stacks/lab/snapshots/creating.json", { name: "kept" });
    await world.host.files.makeFolder("/data/stacks/lab/snapshots/kept.partial");
    await world.snapshots.createSnapshot({ stack: "lab", name: "next" });
    assert.deepEqual([...world.paused], [], `after ${steps} steps`);
    assert.deepEqual(await world.host.files.list("/data/stacks/lab/snapshots"), ["next"]);
  }
});

test("a restore that is killed before any step is completed by starts, and by a repetition", async () => {
  for (const finish of ["up", "repetition"] as const) {
    for (let steps = 0; ; steps++) {
      const world = new World();
      await world.snapshots.createSnapshot(kept);
      for (const name of names) world.disks.set(name, "after");
      const died = await world.killedAfter(steps, () => world.snapshots.restoreSnapshot(kept));
      if (finish === "up") await world.up();
      else await world.snapshots.restoreSnapshot(kept);
      const found = new Set(world.disks.values());
      assert.equal(found.size, 1, `${finish} after ${steps} steps: ${[...found]}`);
      assert.ok(!found.has("half"));
      assert.deepEqual([...world.running].sort(), names);
      assert.equal(await world.snapshots.interruptedRestore({ stack: "lab" }), undefined);
      if (!died) break;
    }
  }
});

test("a change that is under way or was killed is known, so that a user learns why machines do not run", async () => {
  const world = new World();
  const unfinished = () => world.snapshots.unfinishedSnapshot("lab");
  const seen: unknown[] = [];
  const { save, putBack } = world.method;
  const method: SnapshotMethod = {
    ...world.method,
    save: async (...args) => {
      seen.push(await unfinished());
      await save(...args);
    },
    putBack: async (...args) => {
      seen.push(await unfinished());
      await putBack(...args);
    },
  };
  await stackSnapshots(world.host, method).createSnapshot(kept);
  assert.deepEqual(seen.slice(-1), [{ name: "kept", change: "creation", isInterrupted: false }]);
  assert.equal(await unfinished(), undefined);
  await stackSnapshots(world.host, method).restoreSnapshot(kept);
  assert.deepEqual(seen.slice(-1), [{ name: "kept", change: "restore", isInterrupted: false }]);
  assert.equal(await unfinished(), undefined);
  const killed = { name: "kept", pid: 4_000_000, startTime: "1" };
  await world.host.files.writeJson("/data/stacks/lab/snapshots/creating.json", killed);
  assert.deepEqual(await unfinished(), { name: "kept", change: "creation", isInterrupted: true });
});

test("each pause has its own answer to whether its machines still stand still", async () => {
  const world = new World();
  const checked: number[] = [];
  let pauses = 0;
  const method: SnapshotMethod = {
    ...world.method,
    pause: async (specs, options) => {
      const pause = ++pauses;
      await world.method.pause(specs, options);
      return async () => void checked.push(pause);
    },
  };
  const snapshots = stackSnapshots(world.host, method);
  await snapshots.createSnapshot(kept);
  await snapshots.createSnapshot({ stack: "lab", name: "second" });
  assert.deepEqual(checked, [1, 2]);
});

test("nothing is paused when the disk is too small, or a machine is not complete", async () => {
  const world = new World();
  world.bytes = 2 ** 41;
  const method = { ...world.method, pause: () => assert.fail("paused") };
  const create = () => stackSnapshots(world.host, method).createSnapshot(kept);
  await assert.rejects(create(), problem("disk-full", /needs \d+ MiB, and \d+ MiB are free/));
  world.bytes = 1;
  world.records = world.records.map((record, index) =>
    index === 1 ? { ...record, former: { image: "b", parts: [], step: "aside" } } : record,
  );
  await assert.rejects(create(), problem("roll-in-progress", /master-2 is getting another image/));
  assert.deepEqual(await world.host.files.list("/data/stacks/lab/snapshots"), []);
});

test("each difference of the machines is named", async () => {
  const world = new World();
  await world.snapshots.createSnapshot(kept);
  const [one, two, three] = world.records as [DriverRecord, DriverRecord, DriverRecord];
  const added = { ...three, spec: { ...three.spec, name: "worker-2" } };
  for (const [records, reason] of [
    [[one, two], /worker-1 no longer exists/],
    [[one, two, three, added], /worker-2 was added since/],
    [[one, { ...two, generation: "other" }, three], /master-2 was recreated since/],
    [[one, { ...two, spec: { ...two.spec, image: "b" } }, three], /master-2 had the image a and has b/],
    [[one, two, { ...three, spec: { ...three.spec, disks: [{ disk: "d", mountPoint: "/d" }] } }], /data disks none/],
  ] as const) {
    world.records = [...records];
    await assert.rejects(world.snapshots.restoreSnapshot(kept), problem("snapshot-differs", reason));
  }
  assert.equal(world.running.size, 3);
});

test("a machine that has lost its part with its former disk is refused before any power is cut", async () => {
  const world = new World();
  await world.snapshots.createSnapshot(kept);
  const method = { ...world.method, isSaved: async ({ name }: { name: string }) => name !== "worker-1" };
  const restored = stackSnapshots(world.host, method).restoreSnapshot(kept);
  await assert.rejects(restored, problem("snapshot-differs", /worker-1 has another disk/));
  assert.equal(world.running.size, 3);
  assert.equal(await world.snapshots.interruptedRestore({ stack: "lab" }), undefined);
});

test("layers count what the disks have grown by until the next snapshot", async () => {
  const world = new World();
  const method = { ...world.method, drop: async () => {} };
  const snapshots = stackSnapshots(world.host, method);
  await snapshots.createSnapshot(kept);
  world.bytes = 150;
  await world.host.clock.sleep(10);
  await snapshots.createSnapshot({ stack: "lab", name: "second" });
  world.bytes = 157;
  assert.deepEqual(
    (await snapshots.listSnapshots("lab")).map(({ name, bytes }) => [name, bytes]),
    [
      ["kept", 150],
      ["second", 21],
    ],
  );
});
