/**
 * Records a stack as a commit of `earlierCommits` creates it on the fake driver, for test/engine/compat.test.ts. Needs Pulumi and the
 * project's history: `npx tsx test/support/record-earlier-stack.ts COMMIT`
 */
import * as fs from "node:fs";
import { dataFolder } from "../../host/data-folder";
import { ClusterUnderTest, mustSucceed } from "./cluster-under-test";
import { earlierStack, packStack, withPassphrase } from "./earlier-stacks";
import { type EarlierCommit, earlierCommits, earlierProject } from "./earlier-versions";
import { copyProject } from "./project-copy";

async function main([commit = ""]: readonly string[]): Promise<void> {
  if (!Object.hasOwn(earlierCommits, commit)) throw new Error(`name one of ${Object.keys(earlierCommits).join(", ")}`);
  const today = copyProject(dataFolder());
  try {
    const earlier = withPassphrase(earlierProject(commit as EarlierCommit, today));
    fs.writeFileSync(earlier.stackFile(earlierStack.name), earlierStack.file);
    const cluster = new ClusterUnderTest(earlier, earlierStack.name);
    mustSucceed("start", await cluster.groundplane("start", "--yes"));
    packStack(commit as EarlierCommit, today.data);
    // The fake driver's machines are files only.
  } finally {
    today.remove();
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.exitCode = 1;
  console.error(error.message);
});
