import { emptyState, LiveView } from "../../view/live-view";
import { readPageFiles } from "../../view/page-files";
import type { ProbeSample } from "../../view/picture/state";
import { topologyOf } from "../../view/topology";
import { serveView } from "../../view/view-server";
import { examplePlan } from "./example-plans";
import { ScriptedFaults } from "./scripted-faults";
import { ScriptedStack } from "./scripted-stack";

export { emptyState };

/** A view of an example stack that is scripted in this process. */
export async function viewUnderTest(stackName: string, { refused = "" } = {}) {
  const stack = new ScriptedStack(examplePlan(stackName));
  const faults = new ScriptedFaults(stack);
  faults.reason = refused;
  const probe: { outcome: ProbeSample["outcome"] } = { outcome: "answered" };
  const live = new LiveView({
    topology: topologyOf(stack.plan),
    source: stack,
    ask: async () => ({ outcome: probe.outcome, tookMs: 3 }),
    faults: { offered: faults.offered, refused },
  });
  const server = await serveView({
    live,
    faults,
    files: await readPageFiles(),
    journal: async (node, onLine) =>
      onLine(`2026-11-30T00:00:00+00:00 ${node} systemd[1]: Reached target multi-user.target.`),
  });
  const [origin = "", token = ""] = server.address.split("/#");
  return { stack, faults, live, probe, server, origin, token };
}

export type ViewUnderTest = Awaited<ReturnType<typeof viewUnderTest>>;
