// A roll of the gateway, or of the only balancer, to another image that is killed after every step, on simulated machines and guests.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeFilesInputs } from "../../model/resource-types";
import { nodeFilesResource } from "../../provider/resources/node-files";
import { stride } from "../support/every-moment";
import { rollOf } from "../support/image-roll";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();

const other = "infrastructure-bbbbbbbbbbbb";
const lease = "0 52:54:00:00:00:01 192.168.56.30 guest *\n";

for (const node of ["gateway", "balancer-1"]) {
  const { assertConverged, dies, inputsOf, isCancelled, leases, Process, standingStack, stateOf, up, upMachine } =
    rollOf("small", node);
  const broken = async (name: string, command: string) =>
    name === node && command === "node-ready" && (await stateOf(node)).spec.image === other
      ? "it does not work"
      : undefined;

  const standing = async () => {
    const present = await standingStack();
    leases.write(lease);
    return { present, generation: (await stateOf(node)).generation };
  };
  const converges = async (steps: number, wanted: string, generation: string) => {
    await up(new Process(), wanted);
    await assertConverged(wanted, generation, `killed after ${steps} steps`);
    assert.equal(leases.read(), lease, `killed after ${steps} steps`);
  };

  test(`${node}: a roll that is killed after any step converges in the next up, also after a second kill`, async () => {
    const { present, generation } = await standing();
    let [from, to] = [present, other];
    let steps = 0;
    for (let died = true; died; steps++) {
      died = await dies(steps, to);
      if (steps % 2 === 0) await dies(Math.ceil(steps / 2), to);
      await converges(steps, to, generation);
      [from, to] = [to, from];
    }
    assert.ok(steps > 5, `${steps} steps`);
  });

  test(`${node}: a roll that is killed after any step is taken back by an up with the former plan`, async () => {
    const { present, generation } = await standing();
    for (let steps = 0; await dies(steps, other); steps++) await converges(steps, present, generation);
  });

  test(`${node}: a failing roll that is killed after any step converges to what the next plan says`, async () => {
    const { present, generation } = await standing();
    for (let steps = 3, isDead = true; isDead; steps += stride) {
      isDead = await dies(steps, other, broken);
      await converges(steps, steps % 2 === 0 ? present : other, generation);
      await converges(steps, present, generation);
    }
  });

  /** No node behind the gateway responds either. */
  const silent = async (name: string, command: string) =>
    command === "connect" && [name, "gateway"].includes(node) && (await stateOf(node)).spec.image === other
      ? "no response"
      : undefined;
  const answers = async () => {
    const nodes = new Process(Number.POSITIVE_INFINITY, silent);
    const inputs = await inputsOf<NodeFilesInputs>("NodeFiles", `${node}-files`);
    await nodeFilesResource(nodes.connect).read?.("", { inputs, outputs: inputs }, nodes.context);
  };

  test(`${node}: an up after a roll to an image that does not respond was killed reaches it before it asks a node`, async () => {
    const { present, generation } = await standing();
    let away = 0;
    for (let steps = 0, isDead = true; isDead; steps++) {
      isDead = await dies(steps, other, silent);
      const { spec, formerImage } = await stateOf(node);
      if (spec.image === other && formerImage !== undefined) away++;
      const wanted = steps % 2 === 0 ? present : other;
      const next = new Process(Number.POSITIVE_INFINITY, silent);
      await upMachine(next, wanted);
      await answers();
      // The image is still one that does not respond.
      if (wanted === other) await assert.rejects(up(next, wanted), /and it has its former image/);
      else await up(next, wanted);
      await answers();
      await converges(steps, present, generation);
    }
    assert.ok(away > 0, "it was killed while the new disk was there");
  });

  for (const [what, answer] of Object.entries({ silent, broken }))
    test(`${node}: a roll to a ${what} image that is cancelled at any step leaves it on its former disk`, async () => {
      const { present, generation } = await standing();
      for (let steps = 0, wasCancelled = true; wasCancelled; steps++) {
        wasCancelled = await isCancelled(steps, other, answer);
        const { spec, power, formerImage } = await stateOf(node);
        assert.deepEqual([spec.image, power, formerImage], [present, "running", undefined], `cancelled at ${steps}`);
        await answers();
        await converges(steps, present, generation);
      }
    });
}
