import { etcdFullPercent } from "../../model/health-check";
import { type Finding, healthy, type MachineAnswers, readAnswers, unhealthy, unknown } from "./findings";
import type { Answer } from "./questions";

/** Answers of etcd's members. Ids are texts: JSON's numbers would lose their last digits. */

export interface MemberStatus {
  readonly id: string;
  readonly leader: string;
  readonly isLearner: boolean;
  readonly errors: readonly string[];
  readonly sizeBytes: number;
  readonly quotaBytes: number;
}

interface Member {
  readonly id: string;
  /** Empty until a new member has started. */
  readonly name: string;
  readonly isLearner: boolean;
}

/** etcd's default, for members that do not report it. */
const DEFAULT_QUOTA = 2 * 1024 ** 3;

/** The line of `etcdctl --write-out=json`; other lines are its log. */
function documentIn<T>(text: string, start: RegExp): T | undefined {
  const line = text.split("\n").find((candidate) => start.test(candidate));
  if (line === undefined) return undefined;
  try {
    return JSON.parse(line.replace(/("(?:member_id|leader|ID)":)(\d+)/g, '$1"$2"')) as T;
  } catch {
    return undefined;
  }
}

interface EndpointStatus {
  readonly Status: {
    readonly header: { readonly member_id: string };
    readonly leader?: string;
    readonly isLearner?: boolean;
    readonly errors?: readonly string[];
    readonly dbSize: number;
    readonly dbSizeQuota?: number;
  };
}

export function parseStatus({ text }: Answer): MemberStatus | undefined {
  const status = documentIn<readonly EndpointStatus[]>(text, /^\[\{"Endpoint"/)?.[0]?.Status;
  if (status === undefined) return undefined;
  const { header, leader = "0", isLearner = false, errors = [], dbSize, dbSizeQuota } = status;
  const quotaBytes = dbSizeQuota || DEFAULT_QUOTA;
  return { id: header.member_id, leader, isLearner, errors, sizeBytes: dbSize, quotaBytes };
}

interface MemberList {
  readonly members: readonly { readonly ID: string; readonly name?: string; readonly isLearner?: boolean }[];
}

export function parseMembers({ text }: Answer): readonly Member[] | undefined {
  const list = documentIn<MemberList>(text, /^\{"header"/)?.members;
  return list?.map(({ ID: id, name = "", isLearner = false }) => ({ id, name, isLearner }));
}

/** The first list of members that any of them gives: they agree, or have no leader and give none. */
function memberList(machines: readonly MachineAnswers[]): readonly Member[] | undefined {
  for (const { answers } of machines) {
    const answer = answers.get("etcd-members");
    const members = answer && parseMembers(answer);
    if (members !== undefined && members.length > 0) return members;
  }
  return undefined;
}

/** Each member's own status, read by `read`; a silent one is left to the row of members. */
function eachStatus(
  machines: readonly MachineAnswers[],
  read: (of: string, status: MemberStatus) => Finding | readonly Finding[],
): readonly Finding[] {
  return readAnswers(machines, "etcd-status", (of, answer) => {
    const status = parseStatus(answer);
    return status === undefined ? unknown(of, "its member does not respond") : read(of, status);
  });
}

export function readMembers(machines: readonly MachineAnswers[]): readonly Finding[] {
  const planned = machines.filter(({ roles }) => roles.includes("etcd"));
  if (planned.length === 0) return [];
  const members = memberList(planned);
  const silent = planned.flatMap(({ name, power, answers, silence }) => {
    const answer = answers.get("etcd-status");
    if (answer !== undefined && parseStatus(answer) !== undefined) return [];
    if (power !== "running") return [unhealthy(name, `its machine is ${power}`)];
    return [answer === undefined ? unknown(name, silence) : unhealthy(name, `no response: ${reasonIn(answer)}`)];
  });
  if (members === undefined) return silent.length > 0 ? silent : [unknown("etcd", "no member lists the members")];
  const names = new Set(members.map(({ name }) => name));
  const missing = planned.filter(({ name }) => !names.has(name));
  const others = members.filter(({ name }) => !planned.some((machine) => machine.name === name));
  const problems = [
    ...silent,
    ...missing.map(({ name }) => unhealthy(name, "is not a member")),
    ...others.map(({ id, name }) => {
      const shown = BigInt(id).toString(16);
      return unhealthy(
        name || shown,
        name === "" ? `member ${shown} has never started` : "is a member and not planned",
      );
    }),
  ];
  return problems.length > 0 ? problems : planned.map(({ name }) => healthy(name, `${planned.length} members respond`));
}

const reasonIn = ({ text, code }: Answer): string => {
  const [, message] = /"error":"([^"]*)"/.exec(text) ?? [];
  return message ?? (text.split("\n").at(-1) || `exit code ${code}`);
};

export function readLearners(machines: readonly MachineAnswers[]): readonly Finding[] {
  const planned = machines.filter(({ roles }) => roles.includes("etcd"));
  if (planned.length === 0) return [];
  const members = memberList(planned);
  if (members === undefined) return planned.map(({ name }) => unknown(name, "no member lists the members"));
  const learners = members.filter(({ isLearner }) => isLearner);
  if (learners.length === 0) return [healthy("etcd", "every member votes")];
  return learners.map(({ id, name }) => unhealthy(name || BigInt(id).toString(16), "is a learner"));
}

/** What each member that responds says about the leader; `leader` is undefined where it knows none. */
function leadersToldBy(machines: readonly MachineAnswers[]): readonly { of: string; leader: string | undefined }[] {
  const statuses = machines.flatMap(({ name, answers }) => {
    const answer = answers.get("etcd-status");
    const status = answer && parseStatus(answer);
    return status === undefined ? [] : [{ name, status }];
  });
  // A leader that does not respond is in the list of members.
  const listed = memberList(machines) ?? [];
  const nameOf = (id: string) =>
    statuses.find(({ status }) => status.id === id)?.name ||
    listed.find((member) => member.id === id)?.name ||
    BigInt(id).toString(16);
  return statuses.map(({ name, status: { leader } }) => ({
    of: name,
    leader: leader === "0" ? undefined : nameOf(leader),
  }));
}

/** The leaders that members of etcd name: one, or none, while they agree. */
export const etcdLeadersIn = (machines: readonly MachineAnswers[]): readonly string[] => [
  ...new Set(leadersToldBy(machines).flatMap(({ leader }) => leader ?? [])),
];

/** Whether it is known which member leads, or that none does. */
export function isEtcdLeaderKnown(machines: readonly MachineAnswers[]): boolean {
  const told = leadersToldBy(machines);
  const { length } = etcdLeadersIn(machines);
  return length === 1 || (length === 0 && told.length > 0);
}

export function readLeader(machines: readonly MachineAnswers[]): readonly Finding[] {
  const told = leadersToldBy(machines);
  const findings = eachStatus(machines, (of) => {
    const leader = told.find((each) => each.of === of)?.leader;
    return leader === undefined ? unhealthy(of, "knows no leader") : healthy(of, `${leader} leads`);
  });
  return etcdLeadersIn(machines).length > 1
    ? [...findings, unhealthy("etcd", "the members know different leaders")]
    : findings;
}

/** Every member reports the alarms of all: `memberID:10501334649042878790 alarm:NOSPACE`. The spaces between depend on its version. */
export function readAlarms(machines: readonly MachineAnswers[]): readonly Finding[] {
  const names = new Map<string, string>();
  const alarms = new Map<string, Finding>();
  const statuses: MemberStatus[] = [];
  const findings = eachStatus(machines, (of, status) => {
    names.set(status.id, of);
    statuses.push(status);
    return healthy(of, "no alarm");
  });
  for (const error of statuses.flatMap(({ errors }) => errors)) {
    const [, id = "", alarm = ""] = /memberID: *(\d+) +alarm: *(\w+)/.exec(error) ?? [];
    // A missing leader is also among the errors, and has its own row.
    if (alarm === "") continue;
    const name = names.get(id) ?? BigInt(id).toString(16);
    alarms.set(`${name} ${alarm}`, unhealthy(name, alarm));
  }
  return alarms.size > 0 ? [...alarms.values()] : findings;
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;

export const readSize = (machines: readonly MachineAnswers[]): readonly Finding[] =>
  eachStatus(machines, (of, { sizeBytes, quotaBytes }) => {
    const observed = `${mebibytes(sizeBytes)} of ${mebibytes(quotaBytes)}`;
    return sizeBytes < (quotaBytes * etcdFullPercent) / 100 ? healthy(of, observed) : unhealthy(of, observed);
  });
