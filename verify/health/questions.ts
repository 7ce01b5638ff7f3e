import type { Role } from "../../model/roles";

const every: readonly Role[] = ["gateway", "balancer", "master", "etcd", "worker", "storage"];

/** Every question that a machine answers (cloud-init/scripts/health/answer.sh), and the roles that it is asked of. */
export const questions = {
  clock: every,
  services: every,
  "stopped-units": every,
  "failed-units": every,
  "disk-room": every,
  certificates: ["balancer", "master", "etcd", "worker"],
  firewall: every,
  "api-server": ["master"],
  backends: ["balancer"],
  "floating-ip": ["balancer"],
  corosync: ["gateway", "balancer"],
  pacemaker: ["balancer"],
  dns: every,
  dhcp: ["gateway", "balancer"],
  "etcd-status": ["etcd"],
  "etcd-members": ["etcd"],
  "etcd-disk": ["etcd"],
  backups: ["master"],
  "network-policies": ["master", "worker"],
  mounts: ["worker"],
  bricks: ["storage"],
  heals: ["storage"],
} as const satisfies Readonly<Record<string, readonly Role[]>>;

export type Question = keyof typeof questions;

/** About the whole volume: Gluster refuses a second such command at the same time, so one storage machine is asked. */
export const volumeQuestions: readonly Question[] = ["bricks", "heals"];

/** The questions that a machine with these roles is asked itself. */
export const questionsOf = (roles: readonly Role[]): readonly Question[] =>
  (Object.keys(questions) as Question[]).filter(
    (question) => !volumeQuestions.includes(question) && isAsked(question, roles),
  );

export const isAsked = (question: Question, roles: readonly Role[]): boolean => {
  const asked: readonly Role[] = questions[question];
  return roles.some((role) => asked.includes(role));
};

export interface Answer {
  /** Exit code of the question's commands. */
  readonly code: number;
  readonly text: string;
  /** Milliseconds between the clock of the machine and this host's, at least; only of `clock`. */
  readonly skewMs?: number;
}

/** The exit code of a question that does not apply to a machine. */
export const inapplicable = 3;

/** Reads the lines of answer.sh as they arrive. An answer counts once its end has arrived. */
export class AnswerReader {
  readonly answers = new Map<Question, Answer>();
  private current: { readonly question: string; readonly lines: string[]; skewMs?: number } | undefined;

  constructor(
    private readonly sentMs: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** The clock's time is its first line. */
  read(line: string): void {
    const [, question] = /^@ask ([a-z-]+)$/.exec(line) ?? [];
    const [, code] = /^@end (\d+)$/.exec(line) ?? [];
    if (question !== undefined) this.current = { question, lines: [] };
    else if (this.current === undefined) return;
    else if (code === undefined) this.add(this.current, line);
    else this.end(this.current, Number(code));
  }

  private add(current: { readonly question: string; readonly lines: string[]; skewMs?: number }, line: string): void {
    if (current.question === "clock" && current.lines.length === 0 && /^\d{13}$/.test(line)) {
      const theirs = Number(line);
      current.skewMs = Math.max(0, this.sentMs - theirs, theirs - this.now());
    }
    current.lines.push(line);
  }

  private end({ question, lines, skewMs }: NonNullable<typeof this.current>, code: number): void {
    this.current = undefined;
    if (!Object.hasOwn(questions, question)) return;
    const answer = { code, text: lines.join("\n").trim() };
    this.answers.set(question as Question, skewMs === undefined ? answer : { ...answer, skewMs });
  }
}
