import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import type { ConnectGuest, Guest } from "../../../../guests/guest";
import { UnreachableError } from "../../../../guests/guest-ssh";
import type { MembershipInputs } from "../../../../model/resource-types";
import { bringAddOnImages } from "../../../../provider/resources/add-on-images";
import type { Context } from "../../../../provider/rpc/resource-handler";

const objects = [
  "kube-system registry.k8s.io/kube-proxy:v1.2.3",
  "kube-system registry.k8s.io/coredns:v9",
  "kube-flannel own/init:1 own/flannel:1",
  "shop registry.k8s.io/of-a-user:1",
].join("\n");

interface Node {
  readonly images: string[];
  readonly isAway?: boolean;
  breaksOnce?: boolean;
}

/** Copies images to a node, and returns what its guests did. */
async function copy(nodes: Readonly<Record<string, Node>>, to: string, api = objects) {
  const [done, warnings]: [string[], string[]] = [[], []];
  const guestOf = (name: string): Guest => ({
    async run(argv, options = {}) {
      const node = nodes[name] as Node;
      const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: "" });
      const words = argv.join(" ");
      if (words.includes("cluster-id")) return answer("id\n");
      if (words.startsWith("kubectl")) return answer(api);
      if (words === "ctr --namespace k8s.io images list --quiet") return answer(node.images.join("\n"));
      if (words.includes(" images export --local - ")) {
        done.push(`${name} gives ${argv.at(-1)}`);
        options.output?.end(Buffer.from(`${argv.at(-1)}\xff`, "latin1"));
        return answer("");
      }
      assert.match(words, / ctr --namespace k8s\.io images import --local - /);
      const text = (await buffer(options.input ?? assert.fail("no stream"))).toString("latin1");
      assert.match(text, /\xff$/, "byte for byte");
      if (node.breaksOnce) {
        node.breaksOnce = false;
        throw new UnreachableError("the connection was lost");
      }
      node.images.push(text.slice(0, -1));
      done.push(`${name} gets ${text.slice(0, -1)}`);
      return answer("");
    },
    readFiles: async () => [],
    writeFiles: async () => undefined,
  });
  const connect: ConnectGuest = async (connection) => {
    const name = connection as unknown as string;
    if (nodes[name]?.isAway) throw new UnreachableError(`${name} is away`);
    return guestOf(name);
  };
  const masters = Object.keys(nodes).map((name) => ({ name, address: name, connection: name }));
  const membership = { node: to, connection: to, masters } as unknown as MembershipInputs;
  const log = (severity: string, message: string) => severity === "warning" && warnings.push(message);
  const context = { signal: new AbortController().signal, log, timeoutSeconds: 6 } as unknown as Context;
  await bringAddOnImages(connect, membership, context);
  return { done, warnings };
}

const former = ["registry.k8s.io/kube-proxy:v1.2.3", "registry.k8s.io/coredns:v9", "own/init:1", "own/flannel:1"];
const present = ["registry.k8s.io/kube-proxy:v1.3.0", "registry.k8s.io/coredns:v10", "own/init:1", "own/flannel:1"];

test("a node gets the images of the present add-ons that it lacks, from a master that has them", async () => {
  const nodes = { one: { images: [...present] }, two: { images: [], isAway: true }, three: { images: former } };
  const { done, warnings } = await copy(nodes, "one");
  assert.deepEqual(done, [
    "three gives registry.k8s.io/kube-proxy:v1.2.3",
    "one gets registry.k8s.io/kube-proxy:v1.2.3",
    "three gives registry.k8s.io/coredns:v9",
    "one gets registry.k8s.io/coredns:v9",
  ]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(await copy(nodes, "one"), { done: [], warnings: [] }, "once");
});

test("nothing is copied to a node that has them, and an image that no master has is named", async () => {
  const nodes = { one: { images: former }, two: { images: [...present] } };
  assert.deepEqual(await copy(nodes, "one"), { done: [], warnings: [] });
  assert.deepEqual(await copy(nodes, "one", ""), { done: [], warnings: [] });
  const { done, warnings } = await copy(nodes, "two", "volumes own/gone:1");
  assert.deepEqual([done, warnings], [[], ["no node has the container image own/gone:1, which two lacks"]]);
});

test("a copy whose connection breaks is repeated", async () => {
  const nodes = { one: { images: [...present], breaksOnce: true }, two: { images: former } };
  const api = "kube-system registry.k8s.io/coredns:v9";
  const { done } = await copy(nodes, "one", api);
  assert.deepEqual(done, [
    "two gives registry.k8s.io/coredns:v9",
    "two gives registry.k8s.io/coredns:v9",
    "one gets registry.k8s.io/coredns:v9",
  ]);
});
