// A master that does not respond at once: one question decides nothing.
import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { UnreachableError } from "../../../../guests/guest-ssh";
import type { MembershipInputs } from "../../../../model/resource-types";
import { requireMaster, waitForNodeReady } from "../../../../provider/resources/cluster-node";
import type { Context } from "../../../../provider/rpc/resource-handler";

const inputs = {
  ...{ driver: "fake", stack: "lab", node: "worker-1", roles: ["worker"], connection: { address: "node" } },
  masters: [{ name: "master-1", address: "192.168.57.11", connection: { address: "master" } }],
} as unknown as MembershipInputs;

/** A cluster whose only master is away for the first questions. */
function cluster({ silent, timeoutSeconds }: { readonly silent: number; readonly timeoutSeconds: number }) {
  let asked = 0;
  const lines: string[] = [];
  const run = async ([program = ""]: readonly string[]) => ({
    ...{ code: 0, stderr: "" },
    stdout: path.basename(program) === "cluster-id" ? "uid-1" : "",
  });
  const connect = async () => {
    if (++asked <= silent) throw new UnreachableError("no response");
    return { run } as unknown as Guest;
  };
  const log = (_severity: string, text: string) => void lines.push(text);
  const context = { signal: new AbortController().signal, log, timeoutSeconds } as unknown as Context;
  return { connect: connect as never, context, lines };
}

test("each wait on the cluster goes on while no master responds", async () => {
  for (const [what, call] of [
    [
      "a question to a master",
      async (...args: Parameters<typeof requireMaster>) => (await requireMaster(...args)).clusterId,
    ],
    ["the wait for a Node", waitForNodeReady],
  ] as const) {
    const { connect, context, lines } = cluster({ silent: 2, timeoutSeconds: 30 });
    assert.equal(await call(connect, inputs, context), "uid-1", what);
    assert.ok(lines.includes("worker-1: waiting until a member of the cluster responds"), what);
  }
});

test("it ends within the time of the call, with the next step", async () => {
  const { connect, context } = cluster({ silent: Number.POSITIVE_INFINITY, timeoutSeconds: 6 });
  await assert.rejects(requireMaster(connect, inputs, context), /worker-1 cannot join .*: no master responds/);
});
