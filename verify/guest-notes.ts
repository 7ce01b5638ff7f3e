const folder = "/run/groundplane-verify";
const unitOf = (name: string): string => `groundplane-verify-${name}`;

/**
 * Script for a guest: has it run `program` by itself, whose output are its notes. Nobody can ask a guest anything while
 * its cable is out or its gateway is away.
 */
export const beginNotes = (name: string, program: string): string => `
mkdir -p ${folder}
systemctl stop ${unitOf(name)} 2>/dev/null
systemd-run --quiet --collect --unit=${unitOf(name)} --property=StandardOutput=truncate:${folder}/${name} ${program}`;

/** Script for a guest: prints its notes, and when they ended, in seconds since 1970. */
export const endNotes = (name: string): string =>
  `systemctl stop ${unitOf(name)}; cat ${folder}/${name}; echo "$EPOCHREALTIME ended"`;

/** Script for a guest: nothing of this goes on there. */
export const forgetNotes = `systemctl stop '${unitOf("*")}'; rm -rf ${folder}`;

/** Program that asks `url` ten times a second and notes when there was an answer, whatever it was. */
export const noteAnswers = (url: string): string => `/bin/bash -c '
  while :; do
    curl --silent --insecure --max-time 1 --output /dev/null ${url} && echo "$EPOCHREALTIME"
    sleep 0.1
  done'`;

/** Moments in seconds since 1970, the first word of each line. */
export const momentsIn = (notes: string): readonly number[] =>
  notes
    .split("\n")
    .filter(Boolean)
    .map((line) => Number.parseFloat(line));

/** Between two moments that follow each other, in ms. */
export function longestGap(moments: readonly number[]): number {
  const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] as number));
  return Math.round(Math.max(0, ...gaps) * 1_000);
}
