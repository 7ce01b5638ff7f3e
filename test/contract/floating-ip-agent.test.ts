import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { after, before, test } from "node:test";

/** The resource agent on a real interface, with a neighbour at the other end of the cable. Each has a network namespace. */

const skip = process.getuid?.() === 0 ? false : "network namespaces need root";
const agent = path.join(__dirname, "../../cloud-init/scripts/balancer/floating-ip.sh");
const address = "192.0.2.10";
const [balancer, neighbour] = ["balancer", "neighbour"].map((name) => `gp-test-${process.pid}-${name}`) as [
  string,
  string,
];

function run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const [file = "", ...words] = argv;
  const { status, stdout, stderr } = spawnSync(file, words, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
}

const ip = (namespace: string, words: string) => {
  const { status, stdout, stderr } = run(["ip", "-netns", namespace, ...words.split(" ")]);
  assert.equal(status, 0, stderr);
  return stdout;
};

const act = (action: string) =>
  run(["ip", "netns", "exec", balancer, "sh", agent, action], {
    OCF_RESKEY_address: `${address}/24`,
    OCF_RESKEY_interface: "dmz",
  });

before(() => {
  if (skip) return;
  for (const namespace of [balancer, neighbour]) assert.equal(run(["ip", "netns", "add", namespace]).status, 0);
  ip(balancer, `link add dmz type veth peer name dmz netns ${neighbour}`);
  for (const [namespace, own] of [
    [balancer, "192.0.2.1/24"],
    [neighbour, "192.0.2.2/24"],
  ] as const) {
    ip(namespace, `address add ${own} dev dmz`);
    ip(namespace, "link set dmz up");
  }
});

after(() => {
  if (skip) return;
  for (const namespace of [balancer, neighbour]) run(["ip", "netns", "delete", namespace]);
});

test("the monitor reports an absent address", { skip }, () => {
  assert.equal(act("monitor").status, 7);
  assert.equal(act("stop").status, 0);
});

test("a neighbour with an outdated ARP entry learns the new holder at once", { skip }, () => {
  ip(neighbour, `neighbour replace ${address} lladdr 02:00:00:00:00:99 nud reachable dev dmz`);
  const { status, stdout, stderr } = act("start");
  assert.deepEqual([status, stdout, stderr], [0, "", ""]);
  const [link] = JSON.parse(ip(balancer, "-json link show dmz")) as [{ readonly address: string }];
  assert.match(ip(neighbour, `neighbour show ${address}`), new RegExp(`lladdr ${link.address} `));
  assert.equal(act("monitor").status, 0);
});

test("start and stop are idempotent", { skip }, () => {
  assert.equal(act("start").status, 0);
  assert.equal(ip(balancer, `-4 -oneline address show to ${address}/32`).split("\n").length, 1);
  assert.deepEqual([act("stop").status, act("stop").status], [0, 0]);
  assert.equal(act("monitor").status, 7);
});

test("a missing interface is an error", { skip }, () => {
  ip(balancer, "link set dmz down");
  ip(balancer, "link set dmz name other");
  assert.notEqual(act("start").status, 0);
});
