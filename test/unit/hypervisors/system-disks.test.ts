import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriverRecord } from "../../../hypervisors/machine-records";
import {
  dropFormer,
  presentDisk,
  type SystemDiskOf,
  setAside,
  settled,
  takeBack,
} from "../../../hypervisors/system-disks";
import type { Host } from "../../../model/host";
import { MemoryFiles } from "../../support/memory-files";

/** A machine whose disk is two files, one of which only machines of the old image have. The process may die before any change. */
class World {
  readonly files = new MemoryFiles({ "/m/upper": "of a", "/m/only-a": "of a", "/m/console.log": "" });
  record: DriverRecord = {
    ...{ owner: { stack: "s", urn: "u" }, generation: "g", complete: true },
    ...({ backing: "backing of a" } as object),
    spec: { image: "a" } as DriverRecord["spec"],
  };
  running = true;
  /** Changes until the process dies. */
  left = Number.POSITIVE_INFINITY;

  readonly host = { files: this.dying(this.files) } as unknown as Host;
  readonly disk: SystemDiskOf<DriverRecord> = {
    folder: "/m",
    parts: ["upper", "only-a", "only-b"],
    recorded: ["backing" as keyof DriverRecord],
    writeRecord: async (record) => {
      this.step();
      this.record = JSON.parse(JSON.stringify(record));
    },
    stop: async () => {
      this.step();
      this.running = false;
    },
  };

  async exchange(): Promise<void> {
    const now = await settled(this.host, this.record, this.disk);
    if (now.spec.image !== "b") await setAside(this.host, now, "b", this.disk, { backing: "backing of b" } as object);
    for (const part of ["upper", "only-b"])
      if (!(await this.files.exists(`/m/${part}`))) await this.host.files.writeAtomic(`/m/${part}`, "of b");
  }
  async restore(): Promise<void> {
    await takeBack(this.host, await settled(this.host, this.record, this.disk), this.disk);
  }
  async drop(): Promise<void> {
    await dropFormer(this.host, await settled(this.host, this.record, this.disk), this.disk);
  }

  async killedAfter(changes: number, action: () => Promise<void>): Promise<boolean> {
    this.left = changes;
    const died = await action().then(
      () => false,
      (error: unknown) => (error instanceof Died ? true : assert.fail(String(error))),
    );
    this.left = Number.POSITIVE_INFINITY;
    return died;
  }

  private step(): void {
    if (this.left-- <= 0) throw new Died();
  }

  private dying(files: MemoryFiles): MemoryFiles {
    const changes = new Set(["move", "remove", "makeFolder", "writeAtomic"]);
    return new Proxy(files, {
      get: (target, name: keyof MemoryFiles) => {
        const member = target[name] as unknown;
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (changes.has(name)) this.step();
          return member.apply(target, args);
        };
      },
    });
  }
}

class Died extends Error {}

const disks = (world: World) =>
  Object.fromEntries(
    world.files
      .names()
      .filter((name) => name !== "/m/console.log" && world.files.entryOf(name)?.content !== undefined)
      .map((name) => [name, String(world.files.entryOf(name)?.content)]),
  );
const diskOfA = { "/m/upper": "of a", "/m/only-a": "of a" };
const diskOfB = { "/m/upper": "of b", "/m/only-b": "of b" };
const aside = { "/m/former/upper": "of a", "/m/former/only-a": "of a" };
const backingOf = ({ record }: World) => (record as unknown as { backing: string }).backing;

/** Runs an action that dies after each number of changes, until it does not. */
async function killedAnywhere(
  prepare: (world: World) => Promise<void>,
  action: (world: World) => () => Promise<void>,
  then: (world: World) => Promise<void>,
) {
  for (let changes = 0; ; changes++) {
    const world = new World();
    await prepare(world);
    const died = await world.killedAfter(changes, action(world));
    await then(world);
    if (!died) return assert.ok(changes > 1, "some changes were tried");
  }
}

test("a disk is set aside, returns, and is forgotten", async () => {
  const world = new World();
  await world.exchange();
  assert.deepEqual(disks(world), { ...diskOfB, ...aside });
  assert.deepEqual(presentDisk(world.record), { spec: { image: "b" }, formerImage: "a" });
  assert.deepEqual([world.running, backingOf(world), world.record.generation], [false, "backing of b", "g"]);
  await world.exchange();
  assert.deepEqual(disks(world), { ...diskOfB, ...aside }, "again");
  await world.restore();
  assert.deepEqual(disks(world), diskOfA);
  assert.deepEqual([presentDisk(world.record), backingOf(world)], [{ spec: { image: "a" } }, "backing of a"]);
  await world.restore();
  await world.exchange();
  await world.drop();
  await world.drop();
  assert.deepEqual(disks(world), diskOfB);
  await world.restore();
  assert.deepEqual(disks(world), diskOfB, "nothing returns any more");
});

test("an exchange that is killed anywhere is taken back by the next start, or completed", async () => {
  const nothing = async () => undefined;
  const exchange = (world: World) => () => world.exchange();
  await killedAnywhere(nothing, exchange, async (world) => {
    const { spec } = presentDisk(world.record);
    world.record = await settled(world.host, world.record, world.disk);
    assert.equal(spec.image, world.record.spec.image, "it is shown as it is found");
    if (spec.image === "a") assert.deepEqual(disks(world), diskOfA);
    await world.exchange();
    assert.deepEqual(disks(world), { ...diskOfB, ...aside });
    await world.drop();
    assert.deepEqual(disks(world), diskOfB);
  });
  await killedAnywhere(nothing, exchange, async (world) => {
    await world.restore();
    assert.deepEqual(disks(world), diskOfA);
    assert.deepEqual([presentDisk(world.record), backingOf(world)], [{ spec: { image: "a" } }, "backing of a"]);
  });
});

test("a return that is killed anywhere is completed, and never begins again from the other disk", async () => {
  const exchanged = (world: World) => world.exchange();
  const restore = (world: World) => () => world.restore();
  await killedAnywhere(exchanged, restore, async (world) => {
    await world.restore();
    assert.deepEqual(disks(world), diskOfA);
    await world.exchange();
    assert.deepEqual(disks(world), { ...diskOfB, ...aside });
  });
});

test("a former disk that is removed in part never returns", async () => {
  await killedAnywhere(
    (world) => world.exchange(),
    (world) => () => world.drop(),
    async (world) => {
      if (presentDisk(world.record).formerImage === undefined) await world.restore();
      await world.drop();
      assert.deepEqual(disks(world), diskOfB);
    },
  );
});
