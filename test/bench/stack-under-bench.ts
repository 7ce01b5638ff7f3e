import * as fs from "node:fs";
import * as os from "node:os";
import { stringify } from "yaml";
import { dataFolder } from "../../host/data-folder";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { copyProject } from "../support/project-copy";

const STACK = "bench";
export const cores = os.availableParallelism();

/** Why no stack can be brought up here; undefined = it can. */
export async function stackUnavailable(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "system containers need root";
  if (fs.existsSync(`/run/netns/gp-${STACK}`)) return `another stack ${STACK} is up`;
  const [problem] = await createNspawnDriver().problems();
  return problem?.problem;
}

/** What a user writes into the stack's file. */
export type StackSettings = Readonly<Record<string, unknown>>;

/** A stack of its own, in a project and a data folder of its own; images, parts and tools are the host's. */
export interface StackUnderBench {
  readonly name: string;
  readonly driver: Hypervisor;
  readonly cluster: ClusterUnderTest;
  /** Writes the stack's file and gives what is planned from it. */
  configure(settings: StackSettings): DataCenterPlan;
  /** Plain `pulumi` with the words, without the start of our own command line around it; gives the seconds. */
  pulumi(...words: string[]): Promise<number>;
  /** `groundplane destroy`; gives the seconds. */
  destroy(): Promise<number>;
  /** Takes down whatever is there. The folders stay, and are named, when that fails. */
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
    const started = performance.now();
    mustSucceed(argv.join(" "), await cluster.run(argv));
    return (performance.now() - started) / 1000;
  };
  const destroy = () => timed([process.execPath, "cli/groundplane.cjs", "destroy", "--yes", "--stack", STACK]);
  let isKnown = false;
  return {
    name: STACK,
    driver: createNspawnDriver(),
    cluster,
    configure(settings) {
      writeSettings(project.stackFile(STACK), settings);
      return planOf(settings);
    },
    async pulumi(...words) {
      if (!isKnown) await timed(["pulumi", "stack", "select", "--create", STACK, "--non-interactive"]);
      isKnown = true;
      return timed(["pulumi", ...words, "--stack", STACK, "--non-interactive"]);
    },
    destroy,
    async close() {
      try {
        if (isKnown) await destroy();
        project.remove();
      } catch (error) {
        throw new Error(`${STACK} is not gone; its folders are ${project.folder} and ${project.data}`, {
          cause: error,
        });
      } finally {
        if (dataBefore === undefined) delete process.env.GROUNDPLANE_DATA;
        else process.env.GROUNDPLANE_DATA = dataBefore;
      }
    },
  };
}

/** Pulumi keeps the salt of its encryption in the same file. */
function writeSettings(file: string, settings: StackSettings): void {
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const salt = /^encryptionsalt: .*\n/m.exec(before)?.[0] ?? "";
  fs.writeFileSync(file, salt + stringify({ config: { "groundplane:dataCenter": settings } }));
}

function planOf(settings: StackSettings): DataCenterPlan {
  const { configuration, problems } = parseConfiguration(settings, { stack: STACK });
  if (configuration === undefined) throw new Error(JSON.stringify(problems));
  return planDataCenter(configuration);
}
