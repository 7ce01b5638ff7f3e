import assert from "node:assert/strict";
import { test } from "node:test";
import * as read from "../../../../verify/health/etcd-answers";
import { readEtcdDisk } from "../../../../verify/health/etcd-disk-answers";
import type { Finding, MachineAnswers } from "../../../../verify/health/findings";
import type { Answer, Question } from "../../../../verify/health/questions";

// Ids that differ only in digits that JSON's numbers lose.
const ids = ["10501334649042878790", "10501334649042878791", "10501334649042878792"];
const leader = ids[0] as string;

interface Told {
  readonly leader?: string;
  readonly errors?: readonly string[];
  readonly size?: number;
  readonly isLearner?: boolean;
}

const statusOf = (id: string, { leader: leads = leader, errors, size = 20_000_000, isLearner }: Told = {}): string => {
  const extra = `${errors ? `,"errors":${JSON.stringify(errors)}` : ""}${isLearner ? ',"isLearner":true' : ""}`;
  return (
    `[{"Endpoint":"https://127.0.0.1:2379","Status":{"header":{"cluster_id":1,"member_id":${id},"revision":9,"raft_term":2},` +
    `"version":"3.5.0","dbSize":${size},"leader":${leads},"raftIndex":9,"dbSizeQuota":2147483648${extra}}}]`
  );
};
const member = (id: string, name: string, extra = ""): string =>
  `{"ID":${id},"name":"${name}","peerURLs":["https://192.168.57.11:2380"]${extra}}`;
const listOf = (...members: readonly string[]): string =>
  `{"header":{"cluster_id":1,"member_id":${leader},"raft_term":2},"members":[${members.join(",")}]}`;
const all = listOf(...ids.map((id, index) => member(id, `master-${index + 1}`)));

const master = (index: number, told: Told | "silent" | "stopped" | "refuses" = {}, list = all): MachineAnswers => {
  const answers = new Map<Question, Answer>();
  if (typeof told === "object") {
    answers.set("etcd-status", { code: 0, text: statusOf(ids[index - 1] ?? "", told) });
    answers.set("etcd-members", { code: 0, text: list });
  } else if (told === "refuses") {
    const text =
      '{"level":"warn","msg":"retrying","error":"rpc error: connection refused"}\nError: context deadline exceeded';
    answers.set("etcd-status", { code: 1, text });
    answers.set("etcd-members", { code: 1, text });
  }
  const power = told === "stopped" ? "stopped" : "running";
  const silence = told === "stopped" ? "is stopped" : "no response within 10000 ms";
  return { name: `master-${index}`, roles: ["master", "etcd"], power, answers, silence };
};

const shown = (findings: readonly Finding[]): string =>
  findings.map(({ of, state, observed }) => `${of} ${state}: ${observed}`).join("\n");
const healthy = [master(1), master(2), master(3)];
const readers = [read.readMembers, read.readLearners, read.readLeader, read.readAlarms, read.readSize];

test("three members that respond are healthy in every row", () => {
  for (const reader of readers) assert.doesNotMatch(shown(reader(healthy)), /unhealthy|unknown/, reader.name);
  assert.match(shown(read.readLeader(healthy)), /^(master-\d healthy: master-1 leads\n?){3}$/);
});

test("nothing is healthy when no member has been asked", () => {
  const silent = [master(1, "silent"), master(2, "silent"), master(3, "silent")];
  for (const reader of readers) {
    const seen = reader(silent);
    assert.ok(seen.length > 0 && seen.every(({ state }) => state === "unknown"), `${reader.name}: ${shown(seen)}`);
  }
});

test("a member that is off or does not respond is named; one that was not reached is unknown", () => {
  assert.match(
    shown(read.readMembers([master(1), master(2, "stopped"), master(3)])),
    /^master-2 unhealthy: its machine is stopped$/,
  );
  assert.match(
    shown(read.readMembers([master(1), master(2, "refuses"), master(3)])),
    /^master-2 unhealthy: no response: rpc error/,
  );
  assert.match(shown(read.readMembers([master(1), master(2, "silent"), master(3)])), /^master-2 unknown/);
  assert.match(shown(read.readSize([master(1), master(2, "refuses")])), /master-2 unknown/);
});

test("a missing member, an unplanned one and one that never started are named", () => {
  const [first = "", second = "", third = ""] = ids;
  const list = listOf(member(first, "master-1"), member(second, "unplanned"), member(third, ""));
  const seen = shown(read.readMembers([master(1, {}, list), master(2, {}, list)]));
  assert.match(seen, /master-2 unhealthy: is not a member/);
  assert.match(seen, /unplanned unhealthy: is a member and not planned/);
  assert.match(seen, /91bc3c398fb3c148 unhealthy: member 91bc3c398fb3c148 has never started/);
});

test("a learner is named", () => {
  const [first = "", second = ""] = ids;
  const list = listOf(member(first, "master-1"), member(second, "master-2", ',"isLearner":true'));
  assert.equal(
    shown(read.readLearners([master(1, {}, list), master(2, {}, list)])),
    "master-2 unhealthy: is a learner",
  );
});

test("a member without a leader, and members with different leaders, are unhealthy", () => {
  const lost = [master(1), master(2, { leader: "0", errors: ["etcdserver: no leader"] }), master(3)];
  assert.match(shown(read.readLeader(lost)), /master-2 unhealthy: knows no leader/);
  assert.doesNotMatch(shown(read.readAlarms(lost)), /unhealthy/);
  assert.match(shown(read.readLeader([master(1), master(2, { leader: ids[1] as string })])), /different leaders/);
});

test("a leader that does not respond is named by the list of members; without any answer it is not known", () => {
  const lost = [master(1, "silent"), master(2), master(3)];
  assert.deepEqual(read.etcdLeadersIn(lost), ["master-1"]);
  assert.ok(read.isEtcdLeaderKnown(lost));
  assert.ok(!read.isEtcdLeaderKnown([master(1, "silent"), master(2, "silent")]));
  assert.ok(!read.isEtcdLeaderKnown([master(1), master(2, { leader: ids[1] as string })]), "they disagree");
  assert.ok(read.isEtcdLeaderKnown([master(1, { leader: "0" }), master(2, { leader: "0" })]), "none leads");
});

test("an alarm names the member that has raised it, once", () => {
  // etcd 3.6, and etcd 3.7, whose texts have one or two spaces.
  for (const error of [`memberID:${ids[1]} alarm:NOSPACE `, `memberID:${ids[1]}  alarm:NOSPACE`]) {
    const alarmed = { errors: [error] };
    const seen = shown(read.readAlarms([master(1, alarmed), master(2, alarmed), master(3, alarmed)]));
    assert.equal(seen, "master-2 unhealthy: NOSPACE");
  }
});

test("a database near its quota is unhealthy", () => {
  assert.match(shown(read.readSize([master(1, { size: 1_900_000_000 })])), /unhealthy: 1812 MiB of 2048 MiB/);
});

const histogram = (...counts: readonly (readonly [string, number])[]): string =>
  counts.map(([limit, count]) => `etcd_disk_wal_fsync_duration_seconds_bucket{le="${limit}"} ${count}`).join("\n");
const disk = (text: string): string =>
  shown(readEtcdDisk([{ ...master(1), answers: new Map([["etcd-disk", { code: 0, text }]]) }]));

test("the disk is judged by the slowest hundredth of the writes", () => {
  assert.match(
    disk(histogram(["0.008", 990], ["0.064", 999], ["0.128", 1000], ["+Inf", 1000])),
    /healthy: 99 % of 1000 writes within 8 ms/,
  );
  assert.match(
    disk(histogram(["0.008", 900], ["0.064", 950], ["0.128", 1000], ["+Inf", 1000])),
    /unhealthy: .* within 128 ms/,
  );
  assert.match(disk(histogram(["0.008", 0], ["+Inf", 20])), /healthy: 20 writes/);
  assert.match(disk("curl: (7) Failed to connect"), /unknown/);
});
