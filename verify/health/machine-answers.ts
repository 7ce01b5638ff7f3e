import { expiryWarningDays } from "../../model/health-check";
import { type Finding, healthy, type ReadAnswer, unhealthy, unknown } from "./findings";
import type { Answer } from "./questions";

/** Answers about single machines: pure, and an answer that is not understood is unknown. */

const DAY_MS = 86_400_000;
const lastLine = (text: string): string => text.split("\n").at(-1) ?? "";

export const notUnderstood = (of: string, { text, code }: Answer): Finding =>
  unknown(of, `unexpected answer: ${lastLine(text) || `exit code ${code}`}`);

export const readServices: ReadAnswer = (of, { code, text }) =>
  code === 0 ? healthy(of, "ready") : unhealthy(of, text || `node-ready exited with code ${code}`);

/** One line for each unit that runs all the time and was stopped. A machine without one is left to its services. */
export const readStoppedUnits: ReadAnswer = (of, answer) => {
  if (answer.code !== 0) return notUnderstood(of, answer);
  const units = answer.text.split("\n").filter((line) => line !== "");
  return units.length === 0 ? [] : unhealthy(of, `stopped: ${units.join(", ")}`);
};

/** One line per unit, which begins with its name. */
export const readFailedUnits: ReadAnswer = (of, answer) => {
  if (answer.code !== 0) return notUnderstood(of, answer);
  const units = answer.text.split("\n").flatMap((line) => line.trim().split(/\s+/)[0] || []);
  return units.length === 0 ? healthy(of, "none") : unhealthy(of, units.join(", "));
};

/** A certificate's lifetime tolerates more, but leases of ten seconds do not. */
const TOLERATED_SKEW_MS = 2_000;

export const readClock: ReadAnswer = (of, answer) => {
  if (answer.skewMs === undefined) return notUnderstood(of, answer);
  if (answer.skewMs <= TOLERATED_SKEW_MS) return healthy(of, "as this host's");
  return unhealthy(of, `differs from this host's by ${(answer.skewMs / 1000).toFixed(1)} s`);
};

/** The reference id of chrony's `local` directive: it follows no source, but serves its own clock. */
const OWN_CLOCK = "7F7F0101";
/** A source that missed this many polls in a row is lost. Chrony itself keeps it for eight, and its leap status for days. */
const MISSED_POLLS = 4;

interface TimeSource {
  readonly name: string;
  readonly isSelected: boolean;
  /** It has answered one of its last polls. */
  readonly isAnswering: boolean;
  readonly ageSeconds: number;
}

/** A line of `chronyc -c sources`: mode, state, name, stratum, log2 of the poll in seconds, reach (octal), age. */
function parseTimeSource(line: string): readonly TimeSource[] {
  const row = /^[\^=#],([*+?x~-]),([^,]+),\d+,(-?\d+),([0-7]+),(\d+),/.exec(line);
  if (row === null) return [];
  const [, state, name = "", poll, reach, age] = row;
  const ageSeconds = Number(age);
  const isAnswering = Number(reach) > 0 && ageSeconds <= MISSED_POLLS * Math.max(1, 2 ** Number(poll));
  return [{ name, isSelected: state === "*", isAnswering, ageSeconds }];
}

/** `shared`, or a line of `chronyc -c tracking`, which begins with the reference id and ends with the leap status, and sources. */
export const readClockSource: ReadAnswer = (of, answer) => {
  const [, first = "", ...rest] = answer.text.split("\n").map((line) => line.trim());
  if (first === "shared") return healthy(of, "shared with this host");
  if (/^50\d Cannot talk to daemon/.test(first)) return unhealthy(of, "chronyd does not run");
  const [, referenceId, leap] = /^([0-9A-F]{8}),.*,([A-Z][a-z ]+)$/.exec(first) ?? [];
  if (referenceId === undefined || answer.code !== 0) return notUnderstood(of, answer);
  const sources = rest.flatMap(parseTimeSource);
  // Names that cannot be resolved are not listed: a data centre without the internet has only its own time.
  if (referenceId === OWN_CLOCK && sources.length === 0)
    return healthy(of, `${ownClock}: no time server's name resolves`);
  const trouble = troubleOf(sources);
  if (referenceId === OWN_CLOCK) return unhealthy(of, `${ownClock}: ${trouble}`);
  if (leap === "Not synchronised") return unhealthy(of, `not synchronised: ${trouble}`);
  const selected = sources.find(({ isSelected, isAnswering }) => isSelected && isAnswering);
  return selected === undefined ? unhealthy(of, trouble) : healthy(of, `synchronised with ${selected.name}`);
};

export const ownClock = "serves its own clock";

function troubleOf(sources: readonly TimeSource[]): string {
  const answering = sources.filter(({ isAnswering }) => isAnswering).map(({ name }) => name);
  if (answering.length > 0) return `no source is used, although these respond: ${answering.join(", ")}`;
  const last = sources.find(({ isSelected }) => isSelected);
  return last === undefined ? "no source responds" : `no source responds, ${last.name} for ${last.ageSeconds} s`;
}

/** A tenth of a small file system, or what a kubelet keeps free and half of it again. */
const NEEDED_MIB = 1_536;
const NEEDED_SHARE = 0.1;
const NEEDED_INODES = 0.02;

/** Lines of df: mount point, size, available, inodes, available inodes. */
export const readDiskRoom: ReadAnswer = (of, answer) => {
  const rows = answer.text
    .split("\n")
    .map((line) => /^(\/\S*)\s+(\d+)M\s+(\d+)M\s+(\d+|-)\s+(\d+|-)$/.exec(line.trim()))
    .filter((row) => row !== null);
  if (rows.length === 0) return notUnderstood(of, answer);
  const closed = [...answer.text.matchAll(/^read-only (\/\S*)$/gm)].map(([, folder]) =>
    unhealthy(of, `${folder} is read-only`),
  );
  return [
    ...closed,
    ...rows.map(([, folder = "", size, available, inodes, freeInodes]) => {
      const what = `${folder} has ${available} of ${size} MiB free`;
      const isFull = Number(available) < Math.min(NEEDED_MIB, Number(size) * NEEDED_SHARE);
      // A file system without a fixed number of inodes reports 0 or "-".
      const isCrowded = Number(inodes) > 0 && Number(freeInodes) < Number(inodes) * NEEDED_INODES;
      if (isCrowded) return unhealthy(of, `${folder} has ${freeInodes} of ${inodes} inodes free`);
      return isFull ? unhealthy(of, what) : healthy(of, what);
    }),
  ];
};

/** A date that a reader finds at once, and how far it is. */
export function describeEnd(endMs: number, nowMs: number): string {
  const date = new Date(endMs).toISOString().slice(0, 16).replace("T", " ");
  const days = Math.floor(Math.abs(endMs - nowMs) / DAY_MS);
  const left = `${days} ${days === 1 ? "day" : "days"}`;
  return endMs > nowMs ? `ends on ${date} UTC, in ${left}` : `ended on ${date} UTC, ${left} ago`;
}

export const isEnding = (endMs: number, nowMs: number): boolean => endMs - nowMs < expiryWarningDays * DAY_MS;

/** `notAfter=Nov 28 09:00:00 2036 GMT`, as openssl prints it; NaN when it is something else. */
export function parseEnd(text: string): number {
  const [, date] = /notAfter=(\w{3} {1,2}\d{1,2} [\d:]{8} \d{4} GMT)/.exec(text) ?? [];
  return date === undefined ? Number.NaN : Date.parse(date);
}

/** Lines of a path and its end. One finding for each certificate. */
export const readCertificates =
  (nowMs: number): ReadAnswer =>
  (of, answer) => {
    const lines = answer.text.split("\n").filter((line) => line.startsWith("/"));
    if (answer.code !== 0 || lines.length === 0) return notUnderstood(of, answer);
    return lines.map((line) => {
      const file = line.split(" ")[0] ?? "";
      const endMs = parseEnd(line);
      if (Number.isNaN(endMs)) return unknown(of, `${file} is not a readable certificate`);
      return (isEnding(endMs, nowMs) ? unhealthy : healthy)(of, `${file} ${describeEnd(endMs, nowMs)}`);
    });
  };

export const readDns: ReadAnswer = (of, answer) => {
  const [, expected] = /^expected (\S+)/.exec(answer.text) ?? [];
  if (expected === undefined) return notUnderstood(of, answer);
  const addresses = [...answer.text.matchAll(/^(\d+(?:\.\d+){3})\s/gm)].map(([, address]) => address);
  if (addresses.includes(expected)) return healthy(of, "answers");
  return unhealthy(of, addresses.length === 0 ? "no answer" : `the API's name resolves to ${addresses[0]}`);
};

export const readDhcp: ReadAnswer = (of, answer) => {
  if (answer.text === "answered") return healthy(of, "answered");
  if (answer.text.startsWith("no answer")) return unhealthy(of, answer.text);
  if (answer.code !== 0) return notUnderstood(of, answer);
  return /:67\s/.test(answer.text) ? healthy(of, "listens") : unhealthy(of, "no process listens on the port of DHCP");
};

export const readMounts: ReadAnswer = (of, answer) => {
  if (answer.text === "") return unhealthy(of, "the volume is not mounted");
  if (!answer.text.includes(" fuse.glusterfs ")) return notUnderstood(of, answer);
  const isAnswering = answer.code === 0 && /\bBlocks:/.test(answer.text);
  return isAnswering ? healthy(of, "mounted") : unhealthy(of, `the volume does not respond: ${lastLine(answer.text)}`);
};
