import { type Finding, healthy, type MachineAnswers, type ReadAnswer, unhealthy, unknown } from "./findings";
import { describeEnd, isEnding, notUnderstood, parseEnd } from "./machine-answers";

/** Answers about the way to the API: balancers, floating IP, API servers. */

export const readApiServer =
  (nowMs: number): ReadAnswer =>
  (of, answer) => {
    const [, status] = /^readyz (\d{3})$/m.exec(answer.text) ?? [];
    if (status === undefined) return notUnderstood(of, answer);
    const endMs = parseEnd(answer.text);
    const certificate = Number.isNaN(endMs)
      ? unknown(of, "its certificate cannot be read")
      : (isEnding(endMs, nowMs) ? unhealthy : healthy)(of, `its certificate ${describeEnd(endMs, nowMs)}`);
    if (status === "200") return [healthy(of, "ready"), certificate];
    // curl reports a refused connection or certificate, and then status 000.
    const [reason] = /^curl: \(\d+\) .*$/m.exec(answer.text) ?? [];
    const notReady = unhealthy(
      of,
      status === "000" ? (reason ?? "no response") : `not ready: /readyz has status ${status}`,
    );
    return certificate.state === "unhealthy" ? [certificate, notReady] : [notReady];
  };

/** What each balancer finds of the masters, in the way that its program makes possible. Every master must be in it. */
export const readBackends =
  (masters: readonly string[]): ReadAnswer =>
  (of, answer) =>
    /^nginx$/m.test(answer.text) ? readAskedMasters(masters)(of, answer) : readStatistics(masters)(of, answer);

export const nginxIsSilent = "nginx does not report whether it uses it";

/** The responses of the masters that nginx's configuration has, to its balancer. */
const readAskedMasters =
  (masters: readonly string[]): ReadAnswer =>
  (of, { text }) =>
    masters.map((name) => {
      const [, status, reason = ""] = new RegExp(`^master ${name} (\\d{3}) ?(.*)$`, "m").exec(text) ?? [];
      if (status === undefined) return unhealthy(of, `${name} is not one of its servers`);
      if (status === "200") return healthy(of, `${name} is ready; ${nginxIsSilent}`);
      const why = status === "000" ? reason || "no response" : `/readyz has status ${status}`;
      return unhealthy(of, `${name} is not ready (${why}); ${nginxIsSilent}`);
    });

/** HAProxy's table of statistics. */
const readStatistics =
  (masters: readonly string[]): ReadAnswer =>
  (of, answer) => {
    const [head = [], ...rows] = answer.text.split("\n").map((line) => line.replace(/^# /, "").split(","));
    const column = (row: readonly string[], name: string): string => row[head.indexOf(name)] ?? "";
    const servers = new Map(
      rows.filter((row) => column(row, "pxname") === "masters").map((row) => [column(row, "svname"), row] as const),
    );
    if (!servers.has("BACKEND")) return notUnderstood(of, answer);
    return masters.map((name) => {
      const row = servers.get(name);
      if (row === undefined) return unhealthy(of, `${name} is not one of its servers`);
      // A check that runs at this moment precedes its former result by a star.
      const [status, check] = [column(row, "status"), column(row, "check_status").replace(/^\* /, "")];
      // Also after a failed check: it is in rotation until the second one.
      if (status.startsWith("UP"))
        return check === "INI" ? unknown(of, `${name} is not checked yet`) : healthy(of, `${name} is UP`);
      const reason = [check, column(row, "last_chk")].filter((word) => word !== "").join(": ");
      return unhealthy(of, `${name} is ${status || "without a state"} (${reason || "no check has ended"})`);
    });
  };

interface Holding {
  readonly name: string;
  readonly holds?: boolean;
  /** Why it is not known. */
  readonly silence?: string;
}

const holdings = (machines: readonly MachineAnswers[]): readonly Holding[] =>
  machines
    .filter(({ roles }) => roles.includes("balancer"))
    .map(({ name, power, answers, silence }) => {
      // A machine that is off holds no address.
      if (power === "stopped" || power === "absent") return { name, holds: false };
      const answer = answers.get("floating-ip");
      return answer?.code === 0 ? { name, holds: / inet /.test(answer.text) } : { name, silence };
    });

const holdersAmong = (found: readonly Holding[]): readonly string[] =>
  found.filter(({ holds }) => holds).map(({ name }) => name);

/** The balancers that hold the floating IP, by the addresses of their interfaces. */
export const holdersIn = (machines: readonly MachineAnswers[]): readonly string[] => holdersAmong(holdings(machines));

/** Whether it is known which balancer holds the floating IP, or that none does. */
export function isHolderKnown(machines: readonly MachineAnswers[]): boolean {
  const found = holdings(machines);
  return holdersAmong(found).length > 0 || found.every(({ holds }) => holds !== undefined);
}

/** Exactly one holder. */
export function readHolders(machines: readonly MachineAnswers[]): readonly Finding[] {
  const found = holdings(machines);
  const silent = found.flatMap(({ name, silence }) => (silence === undefined ? [] : [unknown(name, silence)]));
  const holders = holdersAmong(found);
  if (holders.length > 1) return holders.map((name) => unhealthy(name, "one of several balancers that hold it"));
  if (holders.length === 1) return [...holders.map((name) => healthy(name, `${name} holds it`)), ...silent];
  return silent.length > 0 ? silent : found.slice(0, 1).map(() => unhealthy("balancers", "no balancer holds it"));
}

export const readCorosync: ReadAnswer = (of, answer) => {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(answer.text)?.[1] ?? "";
  const [quorate, expected, total] = [field("Quorate"), field("Expected votes"), field("Total votes")];
  if (quorate === "") {
    // Without Corosync the tool prints one line.
    return /Cannot initialize|can't connect|CS_ERR/i.test(answer.text)
      ? unhealthy(of, "Corosync does not run")
      : notUnderstood(of, answer);
  }
  if (quorate !== "Yes") return unhealthy(of, `no quorum: ${total} of ${expected} members`);
  if (Number(total) >= Number(expected)) return healthy(of, `${total} of ${expected} members, with quorum`);
  return unhealthy(of, `${total} of ${expected} members`);
};

const attributesOf = (tag: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]));

const tagsOf = (xml: string, name: string): readonly Readonly<Record<string, string>>[] =>
  [...xml.matchAll(new RegExp(`<${name}\\s([^>]*)>`, "g"))].map(([, attributes = ""]) => attributesOf(attributes));

/** crm_mon's XML. Past failures that Pacemaker has recovered from are no problem. */
export const readPacemaker =
  (balancers: readonly string[]): ReadAnswer =>
  (of, answer) => {
    if (!answer.text.includes("<resources")) {
      return /not connected|Connection .*refused|not running|offline/i.test(answer.text)
        ? unhealthy(of, "Pacemaker does not run")
        : notUnderstood(of, answer);
    }
    const nodes = tagsOf(answer.text.slice(answer.text.indexOf("<nodes")), "node").filter(({ online }) => online);
    const resources = tagsOf(answer.text, "resource");
    const [options] = tagsOf(answer.text, "cluster_options");
    if (nodes.length === 0 || resources.length === 0) return notUnderstood(of, answer);
    const problems = [
      ...(options?.["maintenance-mode"] === "true" ? ["the cluster is in maintenance mode"] : []),
      // The gateway only votes.
      ...nodes
        .filter(({ name = "", standby }) => standby === "true" && balancers.includes(name))
        .map(({ name }) => `${name} is in standby and takes nothing over`),
      // `crm_resource --move` and `--ban` leave them until `--clear`.
      ...tagsOf(answer.text, "ban").flatMap(({ id = "", resource, node }) =>
        id.startsWith("cli-") ? [`${resource} must not run on ${node} (${id})`] : [],
      ),
      ...nodes.flatMap(({ name, online, unclean, maintenance }) => [
        ...(online === "true" ? [] : [`${name} is offline`]),
        ...(unclean === "true" ? [`${name} is unclean`] : []),
        ...(maintenance === "true" ? [`${name} is in maintenance mode`] : []),
      ]),
      ...resources.flatMap(({ id, managed, failed, blocked, active, role, orphaned }) => [
        ...(failed === "true" ? [`${id} has failed`] : []),
        ...(managed === "false" ? [`${id} is unmanaged`] : []),
        ...(blocked === "true" ? [`${id} is blocked`] : []),
        ...(orphaned !== "true" && active === "false" && role === "Stopped" && id === "floating-ip"
          ? [`${id} is stopped`]
          : []),
      ]),
    ];
    return problems.length === 0
      ? healthy(of, "all resources are managed")
      : unhealthy(of, [...new Set(problems)].join(", "));
  };
