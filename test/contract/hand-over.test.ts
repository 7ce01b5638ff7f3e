/**
 * What a balancer does before it stops, with the kernel's own packet filter: a holder of the floating IP, another balancer and clients, each in
 * a network namespace. A stand-in of keepalived moves the address.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { handOverContent } from "../../cloud-init/roles/hand-over";
import { script } from "../../cloud-init/scripts/read-script";
import { ports } from "../../model/ports";
import { countRequests, endPrograms, inNamespace } from "../support/counting-clients";
import { examplePlan } from "../support/example-plans";

const skip = process.getuid?.() === 0 ? false : "network namespaces need root";
const plan = examplePlan("lab");
const pair = plan.nodes.filter(({ roles }) => roles.includes("balancer"));
const { floatingIp, port } = plan.balancing;
const addresses = { holder: pair[0]?.address ?? "", peer: pair[1]?.address ?? "", clients: "192.168.56.99" } as const;
const members = ["holder", "peer", "clients"] as const;
type Member = (typeof members)[number];
/** How long no balancer has the address. */
const UNHELD_SECONDS = 1;

const place = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-hand-over-"));
const spaceOf = (name: string): string => `gp-hand-${process.pid}-${name}`;
const inSpace = (member: Member, argv: readonly string[]): string[] => [
  "ip",
  "netns",
  "exec",
  spaceOf(member),
  ...argv,
];

function must(argv: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const [file = "", ...words] = argv;
  const { status, stdout, stderr } = spawnSync(file, words, { encoding: "utf8", env: { ...process.env, ...env } });
  assert.equal(status, 0, `${argv.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

const serverOf = (name: string): string => `
  const http = require("node:http");
  http.createServer((request, response) => {
    setTimeout(() => response.end("${name}"), request.url === "/slow" ? 2500 : 5);
  }).listen({ port: ${port}, host: "0.0.0.0", backlog: 511 });`;

/** The command with the paths and the environment of one member. */
function install(member: "holder" | "peer"): void {
  const found = handOverContent(plan, pair[member === "holder" ? 0 : 1] ?? assert.fail());
  const folder = path.join(place, member);
  fs.mkdirSync(folder);
  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
  for (const file of found.files)
    if ("content" in file) write(path.basename(file.path), file.content.replaceAll("/etc/groundplane", folder));
  const environment = { NODE_NAME: member, NODE_INTERFACE: "dmz", NODE_ADDRESS: addresses[member] };
  const all = { ...environment, API_ADDRESS: floatingIp, API_PORT: port, FLOATING_IP_BY: "keepalived" };
  write(
    "node.env",
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  write("curl", '#!/bin/bash\nexec /usr/bin/curl "${@/https:/http:}"\n');
  write("floating-ip", script("balancer/floating-ip"));
  const move = `ip address delete ${floatingIp}/24 dev dmz; sleep ${UNHELD_SECONDS}
OCF_RESKEY_address=${floatingIp}/24 OCF_RESKEY_interface=dmz ${inSpace("peer", ["sh", path.join(place, "peer", "floating-ip")]).join(" ")} start`;
  write("systemctl", `#!/bin/bash\necho "$*" >>${folder}/calls\nif [ "$1" = kill ]; then\n${move}\nfi\n`);
}

const handOver = (member: "holder" | "peer", what: string): string => {
  const folder = path.join(place, member);
  const env = { PATH: `${folder}:${process.env.PATH}`, RUN: folder };
  return must(inSpace(member, ["bash", path.join(folder, "hand-over"), what]), env);
};
const ip = (member: Member, words: string): string => must(["ip", "-netns", spaceOf(member), ...words.split(" ")]);
const holds = (member: Member): boolean => ip(member, `-4 -brief address show to ${floatingIp}/32`).trim() !== "";
const rules = (member: Member): string => must(inSpace(member, ["nft", "list", "ruleset"]));

before(() => {
  if (skip) return;
  must(["ip", "netns", "add", spaceOf("switch")]);
  const inSwitch = (words: string) => must(["ip", "-netns", spaceOf("switch"), ...words.split(" ")]);
  inSwitch("link add switch type bridge");
  inSwitch("link set switch up");
  for (const member of members) {
    must(["ip", "netns", "add", spaceOf(member)]);
    inSwitch(`link add ${member} type veth peer name dmz netns ${spaceOf(member)}`);
    inSwitch(`link set ${member} master switch up`);
    ip(member, `address add ${addresses[member]}/24 dev dmz`);
    ip(member, "link set lo up");
    ip(member, "link set dmz up");
  }
  for (const member of ["holder", "peer"] as const) {
    install(member);
    inNamespace(spaceOf(member), serverOf(member));
  }
  ip("holder", `address add ${floatingIp}/24 dev dmz`);
});

after(() => {
  endPrograms();
  if (!skip) for (const name of [...members, "switch"]) spawnSync("ip", ["netns", "delete", spaceOf(name)]);
  fs.rmSync(place, { recursive: true, force: true });
});

test("without another balancer that answers, the address stays where it is", { skip }, async () => {
  await sleep(500);
  ip("peer", "link set dmz down");
  handOver("holder", "prepare");
  assert.match(handOver("holder", "away"), /no other balancer takes the connections/);
  assert.ok(holds("holder"));
  assert.doesNotMatch(rules("holder"), /divert/);
  ip("peer", "link set dmz up");
});

test("a move costs no client a request, although no balancer has the address for a moment", { skip }, async (t) => {
  handOver("peer", "prepare");
  const probe = inSpace("clients", ["curl", "-sf", `http://${addresses.peer}:${ports.handOver}/`]);
  assert.equal(must(probe), "peer", "it says that it takes connections over");
  const clients = countRequests(spaceOf("clients"), `http://${floatingIp}:${port}`);
  await clients.begun;
  const said = handOver("holder", "away");
  const { gap, ...seen } = await clients.stop();
  t.diagnostic(JSON.stringify({ gap, ...seen }));
  assert.equal(said, "");
  assert.ok(!holds("holder") && holds("peer"));
  assert.deepEqual(Object.keys(seen).sort(), ["kept holder", "kept peer", "new holder", "new peer", "slow holder"]);
});

test("a holder that does not stop after all takes part again", { skip }, () => {
  handOver("holder", "prepare");
  assert.match(fs.readFileSync(path.join(place, "holder", "calls"), "utf8"), /^start --no-block keepalived/m);
  assert.doesNotMatch(rules("holder"), /divert/);
  assert.match(rules("holder"), /dnat to/);
});

test("a balancer without the address hands nothing over", { skip }, () => {
  assert.equal(handOver("holder", "away"), "");
  assert.ok(holds("peer"));
});
