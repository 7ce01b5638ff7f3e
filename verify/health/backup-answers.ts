import { backupSize, timeOfBackup, toleratedPeriods } from "../../model/backups";
import { healthy, type ReadAnswer, unhealthy } from "./findings";
import { notUnderstood } from "./machine-answers";

const HOUR_S = 3_600;

/** The newest backup that a master has seen: on the volume that of any master, else its own. */
export const readBackups: ReadAnswer = (of, answer) => {
  const fact = (name: string): string | undefined => new RegExp(`^${name} (.+)$`, "m").exec(answer.text)?.[1];
  const number = (name: string): number => Number(fact(name));
  const [every, now, set] = [number("every"), number("now"), number("set")];
  if (![every, now, set].every(Number.isFinite)) return notUnderstood(of, answer);
  const [name = "", bytes] = fact("newest")?.split(" ") ?? [];
  const taken = timeOfBackup(name);
  const reason = fact("failed");
  const since = taken === undefined ? set : taken.getTime() / 1_000;
  const text =
    taken === undefined
      ? `no backup yet, expected every ${period(every)}`
      : `${taken.toISOString().slice(0, 16).replace("T", " ")} UTC, ${period(Math.max(0, now - since))} ago, ${backupSize(Number(bytes))}`;
  if (now - since <= toleratedPeriods * every) return healthy(of, text);
  return unhealthy(of, reason === undefined ? text : `${text}; ${reason}`);
};

const period = (seconds: number): string =>
  seconds < 2 * HOUR_S ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / HOUR_S)} h`;
