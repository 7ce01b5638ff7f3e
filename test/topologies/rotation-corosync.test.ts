/**
 * The key of Corosync is replaced by plain `pulumi up` on a running pair of balancers, also after a kill in the middle. Afterwards a member
 * with the former key does not take part.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { askMeanwhile, balancers, floatingIpHolder, tellGap, up } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";

const dataCenter = (rotate: string, failoverBy = "pacemaker"): string => `driver: nspawn
pools:
  balancers: {count: 2}
  masters: {count: 1}
  workers: {count: 1}
options: {fastProbes: true, failoverBy: ${failoverBy}}
secrets: {rotate: ${rotate}}
`;

const members = ["gateway", ...balancers];
/** As after the loss of the holder, on a host that also runs other tests. */
const LONGEST_GAP_MS = 6_000;
const authkey = "/etc/corosync/authkey";

test("Corosync gets another key", { skip: nspawnSkipReason(), timeout: 12 * 60_000 }, async (t) => {
  const stack = smallStack("corosync");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;
  const digests = async (): Promise<readonly string[]> =>
    Promise.all(members.map((member) => on(member, `sha256sum <${authkey}`)));
  const votesSeenBy = async (member: string): Promise<string> =>
    (await on(member, "corosync-quorumtool -s | sed -n 's/^Total votes: *//p'")).trim();
  const allVote = () =>
    eventually(
      "all members vote",
      patienceMs,
      () => Promise.all(members.map(votesSeenBy)),
      (votes) => votes.every((count) => count === "3"),
    );
  let former: string;

  await step("a pair of balancers", async () => {
    stack.configure(dataCenter("{}"));
    await stack.start();
    await allVote();
    [former = ""] = await digests();
    for (const member of members) await on(member, `cp -p ${authkey} /root/former-authkey`);
  });

  await step("a rotation that is killed before Corosync changes its key is continued", async (inner) => {
    stack.configure(dataCenter("{corosync-key: 1}"));
    const client = await askMeanwhile(stack);
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive");
    const isPlaced = (now: readonly string[]) => now.some((digest) => digest !== former);
    await eventually("a member has the new key", patienceMs, digests, isPlaced);
    await killProviders(stack.project).catch(() => undefined);
    const killed = (await rolling).exitCode !== 0;
    inner.diagnostic(killed ? "killed in the middle" : "it had ended before");
    await up(stack);
    const answered = await client.stop();
    tellGap(inner, "requests every 20 ms", answered);
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    const [first = "", ...others] = await digests();
    assert.notEqual(first, former);
    assert.deepEqual(others, [first, first]);
    await allVote();
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step(
    "keys that are replaced while keepalived moves the floating IP are there when Corosync starts again",
    async () => {
      stack.configure(dataCenter("{corosync-key: 2}", "keepalived"));
      await up(stack);
      stack.configure(dataCenter("{corosync-key: 3}"));
      await up(stack);
      assert.equal(new Set(await digests()).size, 1);
      await allVote();
      await stack.isHealthy();
    },
  );

  await step("a balancer with the former key does not take part, and with the new one it does", async () => {
    const holder = await floatingIpHolder(stack, balancers);
    const other = balancers.find((name) => name !== holder) ?? assert.fail("no other balancer");
    const restart = "systemctl restart corosync && systemctl start pacemaker";
    await on(other, `cp -p ${authkey} /root/new-authkey && cp -p /root/former-authkey ${authkey} && ${restart}`);
    await eventually(
      "it is alone",
      patienceMs,
      async () => [await votesSeenBy(other), await votesSeenBy(holder)].join(),
      (votes) => votes === "1,2",
    );
    await on(other, `cp -p /root/new-authkey ${authkey} && ${restart}`);
    await allVote();
    await stack.isHealthy();
  });
});
