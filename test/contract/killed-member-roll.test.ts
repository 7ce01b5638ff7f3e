// A roll of a member of etcd to another image that is killed after every change, on simulated machines and guests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readNode } from "../../guests/fake-nodes";
import { writeJson } from "../../host/file-store";
import { everyMoment } from "../support/every-moment";
import { other, rollOf } from "../support/image-roll";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();

/** The end of a change leaves the same as the begin of the next one. By default, the two tests share the changes. */
const nextMoment = (steps: number): number => (steps === 0 ? 1 : steps + (everyMoment ? 2 : 4));

for (const [example, node] of [
  ["lab", "master-1"],
  ["production", "etcd-1"],
] as const) {
  const { assertConverged, brokenAsMember, cluster, dies, folder, Process, stack, standingStack, stateOf, up } = rollOf(
    example,
    node,
  );
  const converges = async (steps: number, wanted: string, generation: string) => {
    await up(new Process(), wanted);
    await assertConverged(wanted, generation, `killed after ${steps} steps`);
  };

  test(`${node}: a roll that is killed after any change converges in the next up, also after a second kill`, async () => {
    let [from, to] = [await standingStack(), other];
    const { generation } = await stateOf(node);
    let steps = 0;
    for (let died = true; died; steps = nextMoment(steps)) {
      died = await dies(steps, to);
      if (steps % 3 === 0) await dies(Math.ceil(steps / 2), to);
      await converges(steps, to, generation);
      [from, to] = [to, from];
    }
    assert.ok(steps > 12, `${steps} steps`);
  });

  test(`${node}: a roll that is killed after any change is taken back by an up with the former plan`, async () => {
    const present = await standingStack();
    const { generation } = await stateOf(node);
    for (let steps = everyMoment ? 1 : 3; await dies(steps, other); steps = nextMoment(steps))
      await converges(steps, present, generation);
  });

  test(`${node}: a failing upgrade that is killed after any change goes on in the next up`, async () => {
    const present = await standingStack();
    const { generation } = await stateOf(node);
    for (let steps = 11, isDead = true; isDead; steps += everyMoment ? 1 : 10) {
      isDead = await dies(steps, other, brokenAsMember, "1.2.3");
      await up(new Process(), other, "1.2.3");
      await assertConverged(other, generation, `killed after ${steps} steps`);
      await up(new Process(), present);
    }
  });

  test(`${node}: a join that has failed and was killed then is completed by the next up`, async () => {
    await standingStack();
    const { generation } = await stateOf(node);
    const process = new Process(undefined, async (name, command) => {
      if (name !== node || !command.startsWith("cluster-wait")) return undefined;
      // The others have admitted it, and a later step has failed.
      const memberId = "admitted";
      const { members } = cluster();
      await writeJson(folder("cluster.json"), { ...cluster(), members: { ...members, [node]: memberId } });
      const failed = { ...(await readNode({ stack, name })), phase: "failed", etcdData: true, memberId };
      await writeJson(folder("machines", node, "node.json"), failed);
      process.die();
      return "the API server does not respond";
    });
    await assert.rejects(up(process, other));
    await up(new Process(), other);
    await assertConverged(other, generation);
  });

  test(`${node}: a failing roll that is killed after any change converges to what the next plan says`, async () => {
    const present = await standingStack();
    const { generation } = await stateOf(node);
    // It fails as a member, and joins again from a disk of its former image.
    for (let steps = 11, isDead = true; isDead; steps += 10) {
      isDead = await dies(steps, other, brokenAsMember);
      await converges(steps, steps % 4 === 1 ? present : other, generation);
      await up(new Process(), present);
    }
  });
}
