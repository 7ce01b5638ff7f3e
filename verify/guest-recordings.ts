const folder = "/run/groundplane-verify";
const unitOf = (name: string): string => `groundplane-verify-${name}`;

/**
 * Script for a guest: runs `program` as a unit and records its output, because a guest is unreachable while its link or the
 * gateway is down.
 */
export const startRecording = (name: string, program: string): string => `
mkdir -p ${folder}
systemctl stop ${unitOf(name)} 2>/dev/null
systemd-run --quiet --collect --unit=${unitOf(name)} --property=StandardOutput=truncate:${folder}/${name} ${program}`;

/** Files of `provideAdministrator`; `removeRecordings` removes them. */
export const administratorFiles = { certificate: `${folder}/administrator.crt`, key: `${folder}/administrator.key` };

/** Script for a master: gives programs of recordings the administrator's certificate and key, in memory and for root only. */
export const provideAdministrator = (kubeconfig: string): string => `
set -e -o pipefail
umask 077
mkdir -p ${folder}
provide() {
  kubectl --kubeconfig ${kubeconfig} config view --raw --minify --output "jsonpath={.users[0].user.$1}" | base64 -d >"$2"
  [ -s "$2" ]
}
provide client-certificate-data ${administratorFiles.certificate}
provide client-key-data ${administratorFiles.key}`;

/** Script for a guest: prints the recording and its end, in seconds since 1970. */
export const stopRecording = (name: string): string =>
  `systemctl stop ${unitOf(name)}; cat ${folder}/${name}; echo "$EPOCHREALTIME ended"`;

/** Script for a guest: stops and removes all recordings. */
export const removeRecordings = `systemctl stop '${unitOf("*")}'; rm -rf ${folder}`;

/**
 * Program that requests `url` ten times per second and prints the time of each response, whatever its status. No request waits for
 * one that gets no response.
 */
export const recordResponses = (url: string): string => `/bin/bash -c '
  while :; do
    { curl --silent --insecure --max-time 1 --output /dev/null ${url} && echo "$EPOCHREALTIME"; } &
    sleep 0.1
  done'`;

/** Times in seconds since 1970, the first word of each line. */
export const timesIn = (recording: string): readonly number[] =>
  recording
    .split("\n")
    .filter(Boolean)
    .map((line) => Number.parseFloat(line))
    .sort((one, other) => one - other);

/** The longest time between two consecutive times, in ms. */
export function longestGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
  return Math.round(Math.max(0, ...gaps) * 1_000);
}
