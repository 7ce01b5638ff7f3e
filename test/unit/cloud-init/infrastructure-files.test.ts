import assert from "node:assert/strict";
import { test } from "node:test";
import { chronyConf } from "../../../cloud-init/files/chrony-conf";
import { renderCorosyncConf } from "../../../cloud-init/files/corosync-conf";
import { renderDhcpHosts, renderDnsmasqConf } from "../../../cloud-init/files/dnsmasq-conf";
import { renderHaproxyCfg } from "../../../cloud-init/files/haproxy-cfg";
import { renderHosts } from "../../../cloud-init/files/hosts";
import { renderNftablesConf } from "../../../cloud-init/files/nftables-conf";
import { renderPacemakerCib } from "../../../cloud-init/files/pacemaker-cib";
import { element, emitXml } from "../../../cloud-init/files/xml";
import { renderNodeSeed } from "../../../cloud-init/render-node-seed";
import { gatewayServices } from "../../../model/flows";
import { ports } from "../../../model/ports";
import { parseConfiguration } from "../../../stacks/config/parse-configuration";
import { type NodePlan, nodesOf } from "../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";

const lab = examplePlan("lab");
const small = examplePlan("small");
const lines = (text: string): string[] => text.split("\n").map((line) => line.trim());

test("Corosync has three members with distinct ids, and the quorum is a simple majority", () => {
  const conf = lines(renderCorosyncConf(lab));
  assert.deepEqual(
    conf.filter((line) => line.startsWith("nodeid:")),
    ["nodeid: 1", "nodeid: 2", "nodeid: 3"],
  );
  assert.deepEqual(
    conf.filter((line) => line.startsWith("ring0_addr:")),
    ["ring0_addr: 192.168.56.11", "ring0_addr: 192.168.56.12", "ring0_addr: 192.168.56.1"],
  );
  assert.deepEqual(
    conf.filter((line) => /two_node|expected_votes|wait_for_all/.test(line)),
    [],
  );
});

test("Pacemaker keeps the gateway in standby and the floating IP on a node with HAProxy", () => {
  const cib = renderPacemakerCib(lab);
  assert.match(
    cib,
    /<node id="3" uname="gateway">\n *<instance_attributes id="member-3">\n *<nvpair [^>]*name="standby" value="on"/,
  );
  assert.match(cib, /name="address" value="192\.168\.56\.10\/24"/);
  assert.match(cib, /<rsc_colocation [^>]*rsc="floating-ip" with-rsc="haproxy-clone" score="INFINITY"/);
  const ids = [...cib.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, "ids are unique");
});

test("a lost answer to Pacemaker's first question delays the floating IP for at most 20 s", () => {
  const cib = renderPacemakerCib(lab);
  const delay = /name="cluster-delay" value="(\d+)s"/.exec(cib)?.[1];
  const probes = [...cib.matchAll(/<op id="[^"]+-probe" name="monitor" interval="0s" timeout="(\d+)s"/g)];
  assert.equal(probes.length, 2, "HAProxy and the floating IP");
  for (const [text, timeout] of probes) assert.ok(Number(delay) + Number(timeout) <= 20, text);
});

test("XML attributes are escaped", () => {
  assert.equal(emitXml(element("a", { b: `"<&>` }, element("c"))), '<a b="&quot;&lt;&amp;&gt;">\n  <c/>\n</a>\n');
});

test("HAProxy has every master and no other node as a backend", () => {
  const servers = lines(renderHaproxyCfg(lab)).filter((line) => line.startsWith("server "));
  assert.deepEqual(
    servers,
    nodesOf(lab, "master").map(({ name, address }) => `server ${name} ${address}:6443 verifyhost ${name}`),
  );
});

test("HAProxy's checks verify the certificates of masters with the authority that balancers have", () => {
  const [check = ""] = lines(renderHaproxyCfg(lab)).filter((line) => line.startsWith("default-server "));
  assert.match(check, / check-ssl verify required ca-file \/etc\/haproxy\/cluster-ca\.crt no-ssl-reuse /);
  const [balancer] = nodesOf(lab, "balancer");
  assert.ok(balancer);
  const { files, secrets } = renderNodeSeed(lab, balancer);
  const authority = files.find(({ path }) => path === "/etc/haproxy/cluster-ca.crt");
  assert.equal(authority?.content, "${public:kubernetes-ca-bundle.crt}");
  assert.ok(secrets.includes("kubernetes-ca-bundle.crt"));
  const paths = files.map(({ path }) => path);
  assert.ok(paths.indexOf("/etc/haproxy/cluster-ca.crt") < paths.indexOf("/etc/haproxy/haproxy.cfg"), "in place first");
});

test("every planned MAC has one infinite lease outside the dynamic ranges", () => {
  const leases = renderDhcpHosts(lab).trim().split("\n");
  assert.equal(leases.length, lab.nodes.length - 1);
  for (const lease of leases) assert.match(lease, /^([0-9a-f]{2}:){5}[0-9a-f]{2},[0-9.]+,[a-z0-9-]+,infinite$/);
  assert.equal(new Set(leases.map((lease) => lease.split(",")[0])).size, leases.length);
});

test("dnsmasq serves every segment and never the uplink", () => {
  const interfaces = lines(renderDnsmasqConf(lab)).filter((line) => line.startsWith("interface="));
  assert.deepEqual(
    interfaces,
    lab.segments.map(({ name }) => `interface=${name}`),
  );
});

test("the gateway's hosts file has every node, a worker's hosts file has the nodes that it needs without DNS", () => {
  const namesIn = (node: NodePlan): string[] =>
    lines(renderHosts(lab, node)).flatMap((line) => line.split(" ").slice(2));
  const [gateway, worker] = [lab.nodes[0], nodesOf(lab, "worker")[0]];
  assert.ok(gateway && worker);
  for (const { name } of lab.nodes) assert.ok(namesIn(gateway).includes(name), name);
  assert.ok(namesIn(worker).includes("master-3") && namesIn(worker).includes("worker-1"));
  assert.ok(!namesIn(worker).includes("worker-2"));
  assert.ok(namesIn(worker).includes("api"));
});

test("the host, its networks and its metadata service are closed, unless the configuration lists them", () => {
  const world = /oifname "uplink" ip daddr != @closed accept/;
  const rules = renderNftablesConf(lab);
  assert.match(rules, world);
  assert.match(rules, /set closed \{.*169\.254\.0\.0\/16.*192\.168\.0\.0\/16/);
  assert.match(rules, /set reachable \{ type ipv4_addr; flags interval; auto-merge; \}/);
  assert.match(rules, /chain output \{[^#]*ip daddr @closed reject/);
  const { configuration } = parseConfiguration(
    {
      network: {
        reachable: ["192.168.1.0/24"],
      },
    },
    { stack: "lab" },
  );
  assert.ok(configuration);
  const open = renderNftablesConf(planDataCenter(configuration));
  assert.match(open, /set reachable \{.*elements = \{ 192\.168\.1\.0\/24 \}/);
});

test("a listed flow adds one rule before the final reject, and changes nothing else", () => {
  const rulesWith = (flows: readonly object[]): readonly string[] => {
    const { configuration } = parseConfiguration({ network: { flows } }, { stack: "lab" });
    assert.ok(configuration);
    return renderNftablesConf(planDataCenter(configuration)).split("\n");
  };
  const before = rulesWith([]);
  const flows = [
    { from: "worker", to: "storage", ports: [9100, "9200-9210"] },
    { from: "storage", to: "master", protocol: "udp", ports: [514] },
  ];
  const after = rulesWith(flows);
  const added = [
    'ip saddr @worker ip daddr @storage tcp dport { 9100, 9200-9210 } accept comment "configured"',
    'ip saddr @storage ip daddr @master udp dport { 514 } accept comment "configured"',
  ];
  const first = after.findIndex((line) => line.trim() === added[0]);
  assert.deepEqual(
    after.slice(first, first + 3).map((line) => line.trim()),
    [...added, "reject with icmpx admin-prohibited"],
  );
  assert.deepEqual([...after.slice(0, first), ...after.slice(first + 2)], before);
});

test("the firewall denies by default, and a pool's range does not depend on its size", () => {
  const rules = renderNftablesConf(small);
  assert.equal([...rules.matchAll(/policy drop;/g)].length, 2);
  assert.match(
    rules,
    /set worker \{ type ipv4_addr; flags interval; elements = \{ 192\.168\.58\.11-192\.168\.59\.127 \} \}/,
  );
  assert.match(rules, /set balancer \{ type ipv4_addr; flags interval; elements = \{ 192\.168\.56\.11 \} \}/);
  assert.match(rules, /iifname "uplink" ip daddr 10\.0\.2\.15 tcp dport 6443 dnat ip to 192\.168\.56\.10:6443/);
});

test("the gateway gives the time to every segment, and every other node follows the gateway of its segment", () => {
  const gateway = lab.nodes.find(({ roles }) => roles.includes("gateway")) as NodePlan;
  assert.deepEqual(lines(chronyConf(lab, gateway).content).slice(0, 2), [`allow ${lab.cidr}`, "local stratum 10"]);
  const [ntp] = gatewayServices.filter(({ port }) => port === ports.ntp);
  assert.equal(ntp?.from, "segments");
  const interfaces = lab.segments.map(({ name }) => `"${name}"`).join(", ");
  const promised = `iifname { ${interfaces} } udp dport ${ports.ntp} accept comment "NTP, to virtual machines"`;
  const [input = ""] = /chain input \{[\s\S]*?\n {2}\}/.exec(renderNftablesConf(lab)) ?? [];
  assert.ok(input.includes(promised), "the gateway's firewall lets in what its service answers");
  for (const node of lab.nodes.filter((each) => each !== gateway)) {
    const { gateway: address } = lab.segments.find(({ name }) => name === node.interfaces[0]?.segment) ?? {};
    assert.equal(chronyConf(lab, node).content, `server ${address} iburst prefer\n`);
  }
});
