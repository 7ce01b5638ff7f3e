import type { Host } from "../../model/host";
import type { HostFinding, HostProblem } from "../hypervisor";
import { gatherHostFacts } from "./host-facts";
import { judgeHost } from "./judge-host";

/** All that is to be known about VirtualBox on this host. Looks only. */
export async function examineHost(host: Host): Promise<readonly HostFinding[]> {
  return judgeHost(await gatherHostFacts(host));
}

/** What keeps machines from running here. */
export async function hostProblems(host: Host): Promise<readonly HostProblem[]> {
  const findings = await examineHost(host);
  return findings.flatMap(({ id, state, text, hint = "" }) =>
    state === "problem" ? [{ id, problem: text, hint }] : [],
  );
}
