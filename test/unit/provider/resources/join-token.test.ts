import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { type RunOptions, UnreachableError } from "../../../../guests/guest-ssh";
import type { MembershipInputs } from "../../../../model/resource-types";
import { membershipResource } from "../../../../provider/resources/membership";
import type { Context } from "../../../../provider/rpc/resource-handler";

const token = /^([a-z0-9]{6})\.([a-z0-9]{16})\n$/;
const waiting = JSON.stringify({ order: "none", phase: "waiting", etcdData: false, step: "", error: "" });

/** Joins worker-1 to a cluster in memory, whose secrets are the ids of join tokens. */
async function join(phase: string, changes: { readonly onJoin?: () => void; readonly signal?: AbortSignal } = {}) {
  const secrets = new Set<string>();
  const made: string[] = [];
  const words: string[] = [];
  const warnings: string[] = [];
  let reachable = true;
  const run = async (argv: readonly string[], { stdin, signal: ended }: RunOptions = {}) => {
    const [program = "", ...rest] = argv;
    words.push(...argv);
    const name = path.basename(program);
    const [, id = ""] = token.exec(String(stdin)) ?? [];
    ended?.throwIfAborted();
    if (!reachable) throw new UnreachableError("no master responds");
    if (name === "renew-token") {
      secrets.add(id);
      made.push(String(stdin).trim());
    }
    if (name === "join-cluster") {
      assert.ok(secrets.has(id), "valid before the node learns it");
      changes.onJoin?.();
      if (phase === "unreachable") reachable = false;
    }
    const deleted = rest.find((word) => word.startsWith("bootstrap-token-"));
    if (name === "kubectl" && rest.includes("delete")) secrets.delete(deleted?.slice("bootstrap-token-".length) ?? "");
    const stdout = { "cluster-status": waiting, "cluster-id": "uid-1" }[name] ?? "";
    const fails = name === "cluster-wait" && phase === "failed";
    return { code: fails ? 1 : 0, stdout, stderr: fails ? "no disk" : "" };
  };
  const guest = { run } as unknown as Guest;
  const inputs = {
    ...{ driver: "fake", stack: "lab", node: "worker-1", roles: ["worker"], connection: { address: "node" } },
    masters: [{ name: "master-1", address: "192.168.57.11", connection: { address: "master" } }],
  } as unknown as MembershipInputs;
  const log = (_severity: string, text: string) => void warnings.push(text);
  const signal = changes.signal ?? new AbortController().signal;
  const context = { signal, log, timeoutSeconds: 5 } as unknown as Context;
  const never = () => assert.fail("no driver is asked");
  const error = await membershipResource((async () => guest) as never, never as never)
    .create(inputs, false, context)
    .then(
      () => undefined,
      (failure: Error) => failure,
    );
  return { secrets, made, words, warnings, error };
}

test("a join has a token of its own, which is deleted as soon as the node is a member", async () => {
  const [one, two] = [await join("member"), await join("member")];
  for (const { secrets, made, error } of [one, two]) {
    assert.equal(error, undefined);
    assert.equal(made.length, 1);
    assert.deepEqual([...secrets], []);
  }
  assert.notEqual(one.made[0], two.made[0]);
});

test("the token of a failed or cancelled join is deleted as well", async () => {
  const failed = await join("failed");
  assert.match(String(failed.error), /no disk/);
  const abort = new AbortController();
  const cancelled = await join("joining", { onJoin: () => abort.abort(), signal: abort.signal });
  assert.ok(cancelled.error);
  for (const { secrets, made } of [failed, cancelled]) {
    assert.equal(made.length, 1);
    assert.deepEqual([...secrets], []);
  }
});

test("a token that cannot be deleted is named, and its secret is in no argument or message", async () => {
  const { secrets, made, words, warnings } = await join("unreachable");
  const [id = "", secret = ""] = (made[0] ?? "").split(".");
  assert.deepEqual([...secrets], [id]);
  assert.match(warnings.join("\n"), new RegExp(`the join token ${id} remains until it expires`));
  assert.ok(![...words, ...warnings].some((text) => text.includes(secret)));
});
