import * as fs from "node:fs";
import { after, type TestContext } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { onSignal } from "../support/on-signal";
import { copyProject, type ProjectCopy } from "../support/project-copy";
import { previewsNoChange, type StackUnderTest, secondsSince, stopClients } from "./lab-under-test";

/** A stack that one test file has for itself. It is taken down whatever happens, and Ctrl-C takes it down as well. */
export interface SmallStack extends StackUnderTest {
  readonly project: ProjectCopy;
  /** Writes the stack's file: the lines below `groundplane:dataCenter:`. Pulumi's own part of the file does not change. */
  readonly configure: (dataCenter: string) => void;
  /** `groundplane start`, which creates the stack. */
  readonly start: () => Promise<void>;
  /** Waits until `groundplane status` finds nothing wrong. */
  readonly isHealthy: () => Promise<void>;
  readonly previewsNoChange: () => Promise<void>;
  /** The steps after a failed one are skipped, because each of them builds on those before it. */
  readonly step: (t: TestContext, name: string, run: (inner: TestContext) => Promise<void>) => Promise<void>;
}

/** That of the host. Each stack has another one, which is removed with it. */
const hostData = dataFolder();

/** In place of Debian, e.g. `ubuntu`; see test/nightly/ubuntu-topologies.test.ts. */
const distribution = process.env.GROUNDPLANE_TEST_DISTRIBUTION;

/** @param name unique among the test files: two of them may run at a time */
export function smallStack(name: string): SmallStack {
  const project = copyProject(hostData);
  process.env.GROUNDPLANE_DATA = project.data;
  const cluster = new ClusterUnderTest(project, `${name}-${process.pid.toString(36)}`);
  takeDownAtTheEnd(cluster);
  let apiPort = 0;
  let broken = "";
  return {
    ...{ project, cluster, driver: createNspawnDriver(localHost), apiPort: () => apiPort },
    configure(dataCenter) {
      const file = project.stackFile(cluster.stack);
      const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
      const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
      const all = distribution === undefined ? dataCenter : `distribution: ${distribution}\n${dataCenter}`;
      const lines = all.trimEnd().replaceAll(/^(?=.)/gm, "    ");
      fs.writeFileSync(file, `${salt}config:\n  groundplane:dataCenter:\n${lines}\n`);
    },
    async start() {
      mustSucceed("start", await cluster.groundplane("start", "--yes"));
      const { stdout } = mustSucceed("output", await cluster.pulumi("stack", "output", "apiEndpoint"));
      apiPort = Number(new URL(stdout.trim()).port);
    },
    async isHealthy() {
      const ask = () => cluster.groundplane("status");
      await eventually("a healthy stack", patienceMs, ask, ({ exitCode }) => exitCode === 0);
    },
    previewsNoChange: () => previewsNoChange({ cluster }),
    async step(t, title, run) {
      await t.test(title, async (inner) => {
        if (broken !== "") return inner.skip(`"${broken}" failed`);
        broken = title;
        const started = performance.now();
        await run(inner).finally(stopClients);
        inner.diagnostic(`took ${secondsSince(started)}`);
        broken = "";
      });
    },
  };
}

function takeDownAtTheEnd(cluster: ClusterUnderTest): void {
  let takenDown: Promise<void> | undefined;
  const takeDown = async () => {
    await stopClients();
    await cluster.interrupt();
    // The interrupted stack takes no more commands.
    const { exitCode, stdout, stderr } = await new ClusterUnderTest(cluster.project, cluster.stack).groundplane(
      ...["destroy", "--yes"],
    );
    if (exitCode === 0) cluster.project.remove();
    else console.error(`the stack of ${cluster.project.data} could not be taken down\n${stdout}${stderr}`);
  };
  const takeDownOnce = () => (takenDown ??= takeDown());
  onSignal(takeDownOnce);
  after(takeDownOnce);
}
