import { type HealthCheckName, healthChecks } from "../../model/health-checks";
import type { PowerState } from "../../model/hypervisor-objects";
import type { Role } from "../../model/roles";
import { type Answer, inapplicable, isAsked, type Question } from "./questions";

export type HealthState = "healthy" | "unhealthy" | "unknown";

/** What was observed of one thing. */
export interface Finding {
  /** A machine, or what is observed in the cluster. */
  readonly of: string;
  readonly state: HealthState;
  readonly observed: string;
}

export interface MachineAnswers {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly power: PowerState | "absent";
  /** Of a machine that exists. */
  readonly image?: string;
  readonly answers: ReadonlyMap<Question, Answer>;
  /** Why answers are missing. */
  readonly silence: string;
}

/** One row of the table of health checks with its findings. */
export interface HealthRow {
  readonly check: HealthCheckName;
  /** `inapplicable`: the stack has nothing that it is about. */
  readonly state: HealthState | "inapplicable";
  /** One line about all findings. */
  readonly summary: string;
  readonly findings: readonly Finding[];
  readonly asks: string;
  readonly means: string;
  readonly next: string;
  readonly promised: boolean;
}

export const healthy = (of: string, observed: string): Finding => ({ of, state: "healthy", observed });
export const unhealthy = (of: string, observed: string): Finding => ({ of, state: "unhealthy", observed });
export const unknown = (of: string, observed: string): Finding => ({ of, state: "unknown", observed });

/** Reads an answer. It returns nothing where the question does not apply. */
export type ReadAnswer = (of: string, answer: Answer) => Finding | readonly Finding[];

/** The findings about every machine that is asked a question; a missing answer is unknown. */
export function readAnswers(
  machines: readonly MachineAnswers[],
  question: Question,
  read: ReadAnswer,
): readonly Finding[] {
  return machines
    .filter(({ roles }) => isAsked(question, roles))
    .flatMap(({ name, answers, silence }) => {
      const answer = answers.get(question);
      if (answer === undefined) return [unknown(name, silence)];
      return answer.code === inapplicable ? [] : read(name, answer);
    });
}

/** The state of a row is that of its worst finding. `summary` describes a healthy row. */
export function makeRow(check: HealthCheckName, findings: readonly Finding[], summary?: string): HealthRow {
  const bad = (["unhealthy", "unknown"] as const).find((state) => findings.some((finding) => finding.state === state));
  const state = bad ?? (findings.length === 0 ? "inapplicable" : "healthy");
  const shown = findings.filter((finding) => finding.state === bad);
  return {
    check,
    state,
    summary: bad === undefined ? (summary ?? (findings[0]?.observed || "")) : listed(shown),
    findings,
    asks: healthChecks[check].asks,
    means: healthChecks[check].means,
    next: healthChecks[check].next,
    promised: healthChecks[check].promised,
  };
}

/** Machines with the same observation share its text. */
function listed(findings: readonly Finding[]): string {
  const by = new Map<string, string[]>();
  for (const { of, observed } of findings) by.set(observed, [...(by.get(observed) ?? []), of]);
  return [...by].map(([observed, of]) => `${of.join(", ")}: ${firstLine(observed)}`).join("; ");
}

const firstLine = (text: string): string => text.split("\n")[0] ?? "";
