/** The CIS Kubernetes Benchmark whose controls these are, and the releases of Kubernetes that it is written for. */
export const benchmark = { name: "CIS Kubernetes Benchmark", version: "2.0.1", kubernetes: "1.34 to 1.35" } as const;

/** One control: a question to a node and the answer that keeps it. */
export interface Control {
  /** The benchmark's number. */
  readonly id: string;
  readonly title: string;
  /** Nodes that it holds for. */
  readonly of: "masters" | "nodes";
  /** Where the command runs: on the node itself, or on a master that knows the node's name as `$NODE`. */
  readonly on: "itself" | "master";
  /** For bash, with the functions of `functions`. */
  readonly command: string;
  /** What the command prints when the control is kept, without the last line break. Its exit code is 0 then. */
  readonly expected: RegExp;
  /** The benchmark counts it; the others are recommendations to look at. */
  readonly scored: boolean;
  /** Why it is not kept here. Such a control must fail, so that the reason is removed when it no longer holds. */
  readonly exception?: string;
}

/** Functions that the commands use. */
const functions = `
export KUBECONFIG=/etc/kubernetes/admin.conf
# flag PROGRAM NAME: the value of a flag of a running program, empty if it is not set.
flag() {
  local pid
  pid=$(pgrep --oldest --full "^([^ ]*/)?$1 ") || { echo "$1 does not run"; return 1; }
  tr '\\0' '\\n' <"/proc/$pid/cmdline" | sed -n "s/^--$2=//p" | tail -n 1
}
# beyond MODE PATH...: the paths that give more rights than the mode.
beyond() { local most=$1; shift; find "$@" -maxdepth 0 -perm "/$(printf %o "$((0777 & ~0$most))")"; }
# foreign PATH...: what in these paths does not belong to root:root.
foreign() { find "$@" ! '(' -user root -group root ')'; }
# kubelet KEY: a value of the configuration that the kubelet of $NODE has loaded.
kubelet() { kubectl get --raw "/api/v1/nodes/$NODE/proxy/configz" | jq -c ".kubeletconfig$1"; }
# refused POD_FIELDS CONTAINER_FIELDS: why a pod in the namespace default is refused.
refused() {
  local container='"name":"door","image":"groundplane.internal/busybox:1"' said
  local pod="{\\"apiVersion\\":\\"v1\\",\\"kind\\":\\"Pod\\",\\"metadata\\":{\\"name\\":\\"door\\"},\\"spec\\":{$1\\"containers\\":[{$container$2}]}}"
  if said=$(kubectl create --namespace default --dry-run=server --filename - 2>&1 <<<"$pod"); then echo accepted; return 1; fi
  echo "$said"
}
`;

const mark = "#control";

/** One script for many controls: a connection to a node takes longer than all commands together. */
export function scriptOf(controls: readonly Control[], node: string): string {
  const each = controls.map(
    ({ id, command }) => `echo "${mark} ${id}"\n(set -eu -o pipefail; ${command}) 2>&1\necho "${mark} exit $?"\n`,
  );
  return `NODE=${node}\n${functions}\n${each.join("")}`;
}

export interface Verdict {
  readonly control: Control;
  readonly node: string;
  readonly result: "pass" | "fail" | "excepted" | "exception is obsolete";
  readonly said: string;
}

/** @param printed what the script of these controls printed on the node */
export function judge(controls: readonly Control[], node: string, printed: string): readonly Verdict[] {
  const answers = new Map<string, { said: string; exit: string }>();
  const pattern = new RegExp(`^${mark} (?!exit)(\\S+)\\n([\\s\\S]*?)^${mark} exit (\\d+)$`, "gm");
  for (const [, id, said, exit] of printed.matchAll(pattern)) {
    answers.set(id as string, { said: (said as string).trimEnd(), exit: exit as string });
  }
  return controls.map((control) => {
    const { said, exit } = answers.get(control.id) ?? { said: "the command did not run", exit: "none" };
    const isKept = exit === "0" && control.expected.test(said);
    const result = control.exception === undefined ? (isKept ? "pass" : "fail") : excepted(isKept);
    return { control, node, result, said };
  });
}

const excepted = (isKept: boolean): Verdict["result"] => (isKept ? "exception is obsolete" : "excepted");

/** One line per verdict, the count of each result first. */
export function renderVerdicts(verdicts: readonly Verdict[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { result } of verdicts) counts.set(result, (counts.get(result) ?? 0) + 1);
  const summary = [...counts].map(([result, count]) => `${count} ${result}`).join(", ");
  return [
    `${benchmark.name} ${benchmark.version}: ${summary}`,
    ...verdicts.map(({ control: { id, title, scored, exception, expected }, node, result, said }) => {
      const why = exception ?? (result === "pass" ? "" : `expected ${expected}, got ${JSON.stringify(said)}`);
      const line = [node.padEnd(9), id.padEnd(7), scored ? "scored" : "manual", result.padEnd(8), title].join(" ");
      return why === "" ? line : `${line}: ${why}`;
    }),
  ];
}
