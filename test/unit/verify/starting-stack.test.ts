import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectGuest } from "../../../guests/guest";
import type { StackOutputs } from "../../../model/stack-outputs";
import type { ApiClient } from "../../../verify/api-client";
import { startingStack } from "../../../verify/starting-stack";

const names = ["gateway", "master-1", "worker-1"];
const outputs = {
  ...{ gatewaySsh: { port: 1, hostKey: "" }, sshPrivateKey: "" },
  inventory: names.map((name) => ({ name, address: name, hostKey: "" })),
} as unknown as StackOutputs;

test("machines are asked when the API answers, each until it is ready, and then the Nodes count", async () => {
  const asked: string[] = [];
  const ready = new Set<string>();
  let nodes: readonly string[] | undefined;
  const condition = (name: string) => [{ type: "Ready", status: nodes?.includes(name) ? "True" : "False" }];
  const items = () =>
    names.slice(1).map((name) => ({ metadata: { name }, status: { conditions: condition(name), nodeInfo: {} } }));
  const api = {
    request: async () => {
      if (!nodes) throw new Error("ECONNREFUSED");
      return { status: 200, text: JSON.stringify({ items: items() }) };
    },
  } as unknown as ApiClient;
  const connect = (async ({ address }: { address: string }) => ({
    run: async () => {
      asked.push(address);
      if (address === "worker-1" && !ready.has(address)) throw new Error("connection refused");
      return ready.has(address)
        ? { code: 0, stdout: "", stderr: "" }
        : { code: 1, stdout: "boots\nand more", stderr: "" };
    },
  })) as unknown as ConnectGuest;
  const missing = startingStack(outputs, api, connect);

  assert.equal(await missing(), "the API does not respond: ECONNREFUSED");
  assert.deepEqual(asked, []);
  nodes = ["master-1"];
  ready.add("gateway");
  assert.equal(await missing(), "master-1: boots");
  ready.add("master-1");
  assert.equal(await missing(), "worker-1: connection refused");
  ready.add("worker-1");
  assert.equal(await missing(), "worker-1: its Node is not Ready");
  nodes = names;
  assert.equal(await missing(), undefined);
  assert.deepEqual(
    names.map((name) => asked.filter((each) => each === name).length),
    [1, 2, 3],
  );
});
