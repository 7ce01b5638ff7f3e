import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../../../model/roles";
import * as read from "../../../../verify/health/balancing-answers";
import type { Finding, MachineAnswers, ReadAnswer } from "../../../../verify/health/findings";
import type { Answer, Question } from "../../../../verify/health/questions";

const answer = (text: string, code = 0): Answer => ({ code, text });
const shown = (findings: Finding | readonly Finding[]): string =>
  [findings]
    .flat()
    .map(({ of, state, observed }) => `${of} ${state}: ${observed}`)
    .join("\n");
const reading = (reader: ReadAnswer, text: string, code = 0): string => shown(reader("master-1", answer(text, code)));

const nowMs = Date.parse("2026-11-28T09:00:00Z");
const apiServer = (text: string): string => reading(read.readApiServer(nowMs), text);

test("an API server is ready and has a valid certificate", () => {
  const seen = apiServer("readyz 200\nnotAfter=Nov 28 09:00:00 2027 GMT");
  assert.match(seen, /healthy: ready\nmaster-1 healthy: its certificate ends on 2027-11-28 09:00 UTC, in 365 days/);
});

test("an API server with an expired certificate is named with the date", () => {
  const seen = apiServer(
    "curl: (60) SSL certificate problem: certificate has expired\n\nreadyz 000\nnotAfter=Nov 28 08:59:00 2026 GMT",
  );
  assert.match(seen, /unhealthy: its certificate ended on 2026-11-28 08:59 UTC/);
  assert.match(seen, /unhealthy: curl: \(60\) SSL certificate problem/);
});

test("an API server that is down or not ready is unhealthy, and one without an answer is unknown", () => {
  assert.match(
    apiServer("curl: (7) Failed to connect to 192.168.57.11 port 6443\nreadyz 000"),
    /unhealthy: curl: \(7\)/,
  );
  assert.match(
    apiServer("readyz 500\nnotAfter=Nov 28 09:00:00 2027 GMT"),
    /unhealthy: not ready: \/readyz has status 500/,
  );
  assert.match(apiServer("readyz 200"), /unknown: its certificate cannot be read/);
  assert.match(apiServer(""), /^master-1 unknown/);
});

const statistics = (...rows: readonly string[]): string =>
  ["# pxname,svname,status,check_status,check_code,last_chk,", ...rows, "masters,BACKEND,UP,,,,"].join("\n");
const backends = (text: string): string => reading(read.readBackends(["master-1", "master-2"]), text);

test("HAProxy finds every master", () => {
  const up = [
    "masters,master-1,UP,L7OK,200,HTTP status check returned code <3C>200<3E>,",
    "masters,master-2,UP,* L7OK,200,,",
  ];
  assert.equal(backends(statistics(...up)).match(/healthy: master-\d is UP/g)?.length, 2);
});

test("a master that HAProxy has taken out of rotation, or does not know, is unhealthy", () => {
  const down = "masters,master-1,DOWN,L6RSP,0,SSL handshake failure,";
  assert.match(backends(statistics(down)), /unhealthy: master-1 is DOWN \(L6RSP: SSL handshake failure\)/);
  assert.match(backends(statistics(down)), /unhealthy: master-2 is not one of its servers/);
  const unchecked = "masters,master-1,UP,INI,,,";
  assert.match(backends(statistics(unchecked)), /unknown: master-1 is not checked yet/);
  assert.match(backends(statistics("masters,master-1,UP 1/2,L7TOUT,,,")), /healthy: master-1 is UP/);
});

test("with nginx, its balancer asks the masters; what nginx does with them is never claimed", () => {
  const seen = backends("nginx\nmaster master-2 200 \nmaster master-1 503 ");
  assert.match(seen, /master-1 unhealthy: master-1 is not ready \(\/readyz has status 503\); nginx does not report/);
  assert.match(seen, /master-1 healthy: master-2 is ready; nginx does not report whether it uses it$/m);
  const ended = "master master-1 000 SSL certificate problem: certificate has expired";
  assert.match(
    backends(`nginx\n${ended}`),
    /master-1 is not ready \(SSL certificate problem: certificate has expired\)/,
  );
  assert.match(backends(`nginx\n${ended}`), /unhealthy: master-2 is not one of its servers/);
});

test("a HAProxy that does not answer is unknown", () => {
  for (const text of ["", "socat: E connect: No such file or directory", "# pxname,svname,status"]) {
    assert.match(backends(text), /unknown/, text);
  }
});

const balancer = (name: string, holds: boolean | "silent" | "stopped"): MachineAnswers => ({
  name,
  roles: ["balancer"] satisfies Role[],
  power: holds === "stopped" ? "stopped" : "running",
  answers: new Map<Question, Answer>(
    holds === "silent" || holds === "stopped"
      ? []
      : [["floating-ip", answer(holds ? "2: dmz    inet 192.168.56.10/24 scope global secondary dmz" : "")]],
  ),
  silence: "no response within 10000 ms",
});
const holders = (...machines: readonly MachineAnswers[]): string => shown(read.readHolders(machines));

test("the floating IP is held exactly once", () => {
  assert.equal(holders(balancer("b1", false), balancer("b2", true)), "b2 healthy: b2 holds it");
  assert.equal(holders(balancer("b1", "stopped"), balancer("b2", true)), "b2 healthy: b2 holds it");
  assert.match(holders(balancer("b1", true), balancer("b2", true)), /b1 unhealthy.*\nb2 unhealthy/);
  assert.match(holders(balancer("b1", false), balancer("b2", false)), /unhealthy: no balancer holds it/);
  assert.match(holders(balancer("b1", "silent"), balancer("b2", true)), /b1 unknown/);
  assert.match(holders(balancer("b1", "silent"), balancer("b2", false)), /^b1 unknown: no response within 10000 ms$/);
  assert.equal(holders(), "");
});

const quorum = (expected: number, total: number, quorate: string): string => `Quorum information
------------------
Nodes:            ${total}
Quorate:          ${quorate}

Votequorum information
----------------------
Expected votes:   ${expected}
Highest expected: ${expected}
Total votes:      ${total}
Quorum:           2`;

test("Corosync has quorum and all members", () => {
  const corosync = (text: string): string => reading(read.readCorosync, text);
  assert.match(corosync(quorum(3, 3, "Yes")), /healthy: 3 of 3 members/);
  assert.match(corosync(quorum(3, 2, "Yes")), /unhealthy: 2 of 3 members/);
  assert.match(corosync(quorum(3, 1, "No")), /unhealthy: no quorum: 1 of 3 members/);
  assert.match(corosync("Cannot initialize CMAP service"), /unhealthy: Corosync does not run/);
  assert.match(corosync(""), /unknown/);
});

const status = (change: (xml: string) => string = (xml) => xml): string =>
  change(`<pacemaker-result api-version="2.30">
  <summary><cluster_options stonith-enabled="false" maintenance-mode="false"/></summary>
  <nodes>
    <node name="balancer-1" id="1" online="true" standby="false" maintenance="false" unclean="false" type="member"/>
    <node name="gateway" id="3" online="true" standby="true" maintenance="false" unclean="false" type="member"/>
  </nodes>
  <resources>
    <clone id="haproxy-clone" managed="true" failed="false">
      <resource id="haproxy" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="false" nodes_running_on="1">
        <node name="balancer-1" id="1" cached="true"/>
      </resource>
    </clone>
    <resource id="floating-ip" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="false" nodes_running_on="1">
      <node name="balancer-1" id="1" cached="true"/>
    </resource>
  </resources>
  <failures><failure op_key="haproxy_monitor_3000" node="balancer-1" exitstatus="not running"/></failures>
  <status code="0" message="OK"/>
</pacemaker-result>`);

test("Pacemaker manages its resources; a failure that it has recovered from is history", () => {
  const pacemaker = (text: string, code = 0): string =>
    reading(read.readPacemaker(["balancer-1", "balancer-2"]), text, code);
  assert.match(pacemaker(status()), /healthy: all resources are managed/);
  const changed = (from: string, to: string): string => pacemaker(status((xml) => xml.replace(from, to)));
  assert.match(
    changed('managed="true" failed="false" nodes', 'managed="false" failed="false" nodes'),
    /unhealthy: haproxy is unmanaged/,
  );
  assert.match(
    changed('managed="true" failed="false" nodes', 'managed="true" failed="true" nodes'),
    /haproxy has failed/,
  );
  assert.match(
    changed('name="gateway" id="3" online="true"', 'name="gateway" id="3" online="false"'),
    /gateway is offline/,
  );
  assert.match(changed('maintenance-mode="false"', 'maintenance-mode="true"'), /maintenance mode/);
  assert.match(
    changed(
      'name="balancer-1" id="1" online="true" standby="false"',
      'name="balancer-1" id="1" online="true" standby="true"',
    ),
    /unhealthy: balancer-1 is in standby and takes nothing over$/,
  );
  const ban = '<bans><ban id="cli-ban-floating-ip-on-balancer-1" resource="floating-ip" node="balancer-1"/>';
  assert.match(changed("<failures>", `${ban}</bans><failures>`), /floating-ip must not run on balancer-1 \(cli-ban/);
  assert.match(
    changed("<failures>", `${ban.replace("cli-ban", "on-gateway")}</bans><failures>`),
    /healthy: all resources/,
    "planned",
  );
  const stopped = status((xml) =>
    xml.replace('"floating-ip" role="Started" active="true"', '"floating-ip" role="Stopped" active="false"'),
  );
  assert.match(pacemaker(stopped), /floating-ip is stopped/);
  assert.match(pacemaker("crm_mon: Error: cluster is not available on this node: not connected", 102), /does not run/);
  assert.match(pacemaker("", 124), /unknown/);
});
