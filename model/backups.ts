/** Backups that masters take by themselves: the key `backups` of the configuration. */

export interface BackupsPlan {
  readonly everySeconds: number;
  readonly keep: number;
}

const unitSeconds = { m: 60, h: 3_600, d: 86_400 } as const;

/** `undefined` for any other text than a whole number with `m`, `h` or `d`. */
export function secondsOfPeriod(text: string): number | undefined {
  const [, number, unit] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * unitSeconds[unit as keyof typeof unitSeconds];
}

export const shortestBackupPeriod = 5 * unitSeconds.m;
export const longestBackupPeriod = 30 * unitSeconds.d;

export const backupSize = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** After this many periods without a backup, a stack is unhealthy. */
export const toleratedPeriods = 2;

/** Begins a file that a master has written; the name of the stack follows it on the same line. */
export const masterBackupMagic = "groundplane-backup-1 ";

/** `STACK-20261129T040000Z.backup`: the name orders the files by time. */
export function timeOfBackup(name: string): Date | undefined {
  const [, year, month, day, hour, minute, second] =
    /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.backup$/.exec(name) ?? [];
  if (year === undefined) return undefined;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
