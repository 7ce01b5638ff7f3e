import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { test } from "node:test";
import { localHost } from "../../host/local-host";
import type { DiskSpec, MachineName, Snapshots } from "../../hypervisors/hypervisor";
import { snapshotFiles, snapshotsFolder } from "../../hypervisors/snapshots/snapshot-files";
import { UserError } from "../../model/user-error";
import { contractMachine, contractSeed, type DriverUnderTest, killedMidway, owner, stacks } from "./driver-under-test";

const stack = stacks.one;
const isUserError = (id: string, problem: RegExp) => (error: unknown) =>
  error instanceof UserError && error.id === id && problem.test(error.message);

/** The part of the suite for drivers with snapshots of a stack. */
export function takesSnapshots(
  driverName: string,
  driver: DriverUnderTest,
  machine: MachineName,
  disk: Pick<DiskSpec, "name">,
): void {
  const snapshots = (): Snapshots => driver.create().snapshots ?? assert.fail("no snapshots");
  const [system, data] = [driver.systemFile?.(stack, machine.name), driver.diskFile?.(stack, disk.name)];
  const power = async () => (await driver.create().inspectMachine(machine))?.power;
  /** The drivers' test files can be used only while the machine is stopped. */
  const cutPower = async (): Promise<void> => {
    const { hardKill } = driver.create();
    await (hardKill ? hardKill.hardKill(machine) : driver.create().stopMachine(machine, 60_000));
  };
  const write = async (text: string): Promise<void> => {
    await cutPower();
    await Promise.all([system?.write(text), data?.write(text)]);
    await driver.create().startMachine(machine);
  };
  const contains = async (text: string): Promise<void> => {
    if (!system && !data) return;
    await cutPower();
    if (system) assert.equal(await system.read(), text);
    if (data) assert.equal(await data.read(), text);
    await driver.create().startMachine(machine);
  };
  const kept = { stack, name: "kept" };

  test("a snapshot has the disks of all machines; they go on running, and get their disks back", async () => {
    assert.deepEqual(await snapshots().listSnapshots(stack), []);
    await write("before\n");
    const before = await driver.create().inspectMachine(machine);
    const made = await snapshots().createSnapshot(kept, { configuration: "digest" });
    assert.deepEqual([made.driver, made.configuration, made.obstacle], [driverName, "digest", undefined]);
    assert.ok(made.bytes >= 0 && made.pausedMs >= 0, JSON.stringify(made));
    assert.deepEqual(await driver.create().inspectMachine(machine), before);
    assert.deepEqual(
      (await snapshots().listSnapshots(stack)).map(({ name }) => name),
      ["kept"],
    );
    const { complete } = snapshotFiles(localHost, kept);
    for (const folder of [snapshotsFolder(localHost, stack), complete])
      assert.equal(statSync(folder).mode & 0o777, 0o700, "it contains secrets");
    await write("after\n");
    await snapshots().restoreSnapshot(kept);
    assert.deepEqual(await driver.create().inspectMachine(machine), before, "the same machine runs");
    await contains("before\n");
  });

  test("an unknown snapshot is an error that lists the others, and so is one that exists", async () => {
    const unknown = isUserError("snapshot-missing", /no snapshot never.*use one of these: kept/s);
    await assert.rejects(snapshots().restoreSnapshot({ stack, name: "never" }), unknown);
    await assert.rejects(snapshots().deleteSnapshot({ stack, name: "never" }), unknown);
    await assert.rejects(
      snapshots().createSnapshot(kept),
      isUserError("snapshot-exists", /kept already.*delete kept/s),
    );
    const none = isUserError("no-machines", /has no machines/);
    await assert.rejects(snapshots().createSnapshot({ stack: stacks.two, name: "first" }), none);
  });

  test("a snapshot of other machines is refused with the reason", async () => {
    const spec = contractMachine(await driver.image(), "machine-4");
    await driver.create().ensureMachine(spec, contractSeed, owner(spec.name));
    const differs = isUserError("snapshot-differs", /machine-4 was added since.*npx groundplane/s);
    await assert.rejects(snapshots().restoreSnapshot(kept), differs);
    assert.equal(await power(), "running", "nothing has changed");
    const [listed] = await snapshots().listSnapshots(stack);
    assert.equal(listed?.obstacle, "machine-4 was added since");
    const both = { stack, name: "both" };
    await snapshots().createSnapshot(both);
    await driver.create().removeMachine(spec, owner(spec.name));
    await assert.rejects(
      snapshots().restoreSnapshot(both),
      isUserError("snapshot-differs", /machine-4 no longer exists/),
    );
    await driver.create().ensureMachine(spec, contractSeed, owner(spec.name));
    await assert.rejects(snapshots().restoreSnapshot(both), isUserError("snapshot-differs", /machine-4 was recreated/));
    await driver.create().removeMachine(spec, owner(spec.name));
    await snapshots().deleteSnapshot(both);
    assert.equal(existsSync(snapshotFiles(localHost, both).complete), false);
  });

  test("an interrupted creation leaves nothing, and all machines run", async () => {
    const interruption = new AbortController();
    const reason = new UserError("interrupted", "interrupted", "again");
    const creation = snapshots().createSnapshot(
      { stack, name: "interrupted" },
      { signal: interruption.signal, progress: () => interruption.abort(reason) },
    );
    await assert.rejects(creation, reason);
    assert.equal(await power(), "running");
    assert.deepEqual(await localHost.files.list(snapshotsFolder(localHost, stack)), ["kept"]);
  });

  test("a process that creates or restores a snapshot can be killed at any point", {
    timeout: 10 * 60_000,
  }, async () => {
    const spec = { ...contractMachine(await driver.image()), ...machine };
    for (const killAfterMs of [0, 60, 150, 300]) {
      await killedMidway(driver, spec, "createSnapshot", killAfterMs);
      // As the next `up` does.
      if ((await power()) !== "running") await driver.create().startMachine(machine);
      assert.equal(await power(), "running");
      const next = { stack, name: `next-${killAfterMs}` };
      await snapshots().createSnapshot(next);
      assert.equal(await power(), "running");
      const names = (await snapshots().listSnapshots(stack)).map(({ name }) => name);
      for (const name of names.filter((each) => each !== "kept")) await snapshots().deleteSnapshot({ stack, name });
      assert.deepEqual(await localHost.files.list(snapshotsFolder(localHost, stack)), ["kept"]);
    }
    for (const killAfterMs of [60, 150, 300]) {
      await write("after\n");
      await killedMidway(driver, spec, "restoreSnapshot", killAfterMs);
      const interrupted = await snapshots().interruptedRestore({ stack });
      if (interrupted !== undefined) {
        assert.equal(interrupted, "kept");
        const refused = isUserError("restore-interrupted", /snapshot restore kept/);
        await assert.rejects(snapshots().createSnapshot({ stack, name: "too-early" }), refused);
      }
      await driver.create().startMachine(machine);
      assert.equal(await snapshots().interruptedRestore({ stack }), undefined);
      if (interrupted !== undefined) await contains("before\n");
      await snapshots().restoreSnapshot(kept);
      await contains("before\n");
    }
    await snapshots().deleteSnapshot(kept);
    assert.deepEqual(await snapshots().listSnapshots(stack), []);
  });
}
