import assert from "node:assert/strict";
import { type Control, judge, renderVerdicts, scriptOf, type Verdict } from "../../support/benchmark/control";
import { controlPlaneControls } from "../../support/benchmark/control-plane";
import { nodeControls } from "../../support/benchmark/nodes";
import type { LabUnderTest, Step } from "../lab-under-test";

const asked: readonly { readonly node: string; readonly controls: readonly Control[] }[] = [
  { node: "master-1", controls: [...controlPlaneControls, ...nodeControls] },
  { node: "worker-1", controls: nodeControls },
];

export const benchmarkIsKept: Step = async (lab, t) => {
  const verdicts: Verdict[] = [];
  for (const { node, controls } of asked) {
    const own = controls.filter(({ on }) => on === "itself");
    const known = controls.filter(({ on }) => on === "master");
    verdicts.push(...(await ask(lab, own, node, node)), ...(await ask(lab, known, node, "master-1")));
  }
  for (const line of renderVerdicts(verdicts)) t.diagnostic(line);
  const wrong = verdicts.filter(({ result }) => result !== "pass" && result !== "excepted");
  assert.deepEqual(renderVerdicts(wrong).slice(1), []);
};

async function ask({ cluster }: LabUnderTest, controls: readonly Control[], node: string, at: string) {
  const script = Buffer.from(scriptOf(controls, node)).toString("base64");
  const { stdout } = await cluster.onNode(at, `echo ${script} | base64 -d | bash`);
  return judge(controls, node, stdout);
}
