import type { HostFinding } from "../../hypervisors/hypervisor";
import { UserError } from "../../model/user-error";

/** What `doctor` found out about one thing. A warning does not keep anything from working. */
export type Finding = HostFinding;

export type Check = () => Promise<readonly Finding[]>;

export const ok = (id: string, text: string): Finding => ({ id, state: "ok", text });

export const problem = (id: string, text: string, hint: string): Finding => ({ id, state: "problem", text, hint });

export const warning = (id: string, text: string, hint: string): Finding => ({ id, state: "warning", text, hint });

/** All checks at once; one that fails is a finding like any other, and keeps no other from being made. */
export async function runChecks(checks: Readonly<Record<string, Check>>): Promise<readonly Finding[]> {
  const results = Object.entries(checks).map(([id, check]) =>
    check().catch((error: unknown) => [failureOf(id, error)]),
  );
  return (await Promise.all(results)).flat();
}

function failureOf(id: string, error: unknown): Finding {
  if (error instanceof UserError) return problem(error.id, error.problem, error.hint);
  return problem(
    id,
    `cannot be checked: ${error instanceof Error ? error.message : String(error)}`,
    "report this fault",
  );
}
