import * as fs from "node:fs";
import * as os from "node:os";
import { stringify } from "yaml";
import { dataFolder, localStateFile } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";
import type { StackSettings } from "./bench";
import { parseSettings } from "./parse-settings";

const STACK = "bench";
export const cores = os.availableParallelism();

/** Why this machine cannot run a stack; undefined = it can. */
export async function stackUnavailable(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "system containers need root";
  if (fs.existsSync(`/run/netns/gp-${STACK}`)) return `another stack ${STACK} is running`;
  const [problem] = await createNspawnDriver(localHost).problems();
  return problem?.problem;
}

/** A separate stack in its own project and data folder; images, parts and tools are shared with the host. */
export interface StackUnderBench {
  readonly name: string;
  readonly driver: Hypervisor;
  readonly cluster: ClusterUnderTest;
  /** Writes the stack's file and returns the plan. */
  configure(settings: StackSettings): DataCenterPlan;
  /** Runs plain `pulumi`, without the overhead of our own command line; returns the seconds. */
  pulumi(...words: string[]): Promise<number>;
  /** Runs a command of ours on the stack, after which it may have other nodes; returns the seconds. */
  groundplane(...words: string[]): Promise<number>;
  /** `groundplane destroy`; returns the seconds. */
  destroy(): Promise<number>;
  /** The size of the state that Pulumi has stored. */
  stateBytes(): number;
  /** Removes everything. When that fails, the folders are kept and the error names them. */
  close(): Promise<void>;
}

export async function openStack(): Promise<StackUnderBench> {
  const dataBefore = process.env.GROUNDPLANE_DATA;
  const project = copyProject(dataFolder());
  process.env.GROUNDPLANE_DATA = project.data;
  const shell = new ClusterUnderTest(project, STACK);
  const exported = mustSucceed(
    "groundplane env",
    await shell.run([process.execPath, "cli/groundplane.cjs", "env", "--json"]),
  );
  const cluster = new ClusterUnderTest(
    { ...project, environment: { ...project.environment, ...JSON.parse(exported.stdout) } },
    STACK,
  );
  const timed = async (argv: readonly string[]): Promise<number> => {
    cluster.disconnect();
    const started = performance.now();
    mustSucceed(argv.join(" "), await cluster.run(argv));
    return (performance.now() - started) / 1000;
  };
  const groundplane = (...words: string[]) =>
    timed([process.execPath, "cli/groundplane.cjs", ...words, "--stack", STACK]);
  const destroy = () => groundplane("destroy", "--yes");
  let isKnown = false;
  return {
    name: STACK,
    driver: createNspawnDriver(localHost),
    cluster,
    configure(settings) {
      writeSettings(project.stackFile(STACK), settings);
      return planDataCenter(parseSettings(settings, STACK));
    },
    async pulumi(...words) {
      if (!isKnown) await timed(["pulumi", "stack", "select", "--create", STACK, "--non-interactive"]);
      isKnown = true;
      return timed(["pulumi", ...words, "--stack", STACK, "--non-interactive"]);
    },
    groundplane,
    destroy,
    stateBytes: () => fs.statSync(localStateFile(STACK)).size,
    async close() {
      try {
        if (isKnown) await destroy();
        project.remove();
      } catch (error) {
        throw new Error(`${STACK} was not removed; its folders are ${project.folder} and ${project.data}`, {
          cause: error,
        });
      } finally {
        if (dataBefore === undefined) delete process.env.GROUNDPLANE_DATA;
        else process.env.GROUNDPLANE_DATA = dataBefore;
      }
    },
  };
}

/** Keeps the encryption salt that Pulumi stores in the same file. */
function writeSettings(file: string, settings: StackSettings): void {
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
  fs.writeFileSync(file, salt + stringify({ config: { "groundplane:dataCenter": settings } }));
}
