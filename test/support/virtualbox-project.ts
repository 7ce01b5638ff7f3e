import * as fs from "node:fs";
import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { findProcesses } from "../../host/process-table";
import { imageNames } from "../../image/recipes/image-names";
import type { ProcessIdentity } from "../../model/commands";
import { defaultKubernetesVersion } from "../../model/releases";
import { ClusterUnderTest, type CommandOutput, mustSucceed } from "./cluster-under-test";
import { onSignal } from "./on-signal";
import { copyProject } from "./project-copy";
import { makeVirtualboxHost, type VirtualboxHost } from "./virtualbox-host";
import type { VirtualboxRoot } from "./virtualbox-root";

/** The complete program on the real Pulumi and a private VirtualBox. Only the guests are simulated. */
export interface VirtualboxProject {
  readonly host: VirtualboxHost;
  /** GROUNDPLANE_DATA of the project. */
  readonly data: string;
  /** Writes a stack's file: the settings below `groundplane:dataCenter`, as YAML. */
  configure(stack: string, settings: string): void;
  /** Runs `pulumi` on a stack and returns its complete output. */
  pulumi(stack: string, ...words: string[]): Promise<CommandOutput>;
  /** The same, but fails if the command fails. */
  mustPulumi(stack: string, ...words: string[]): Promise<string>;
  /** The provider's processes during an operation. */
  providers(): Promise<readonly ProcessIdentity[]>;
  close(): Promise<void>;
}

export async function openVirtualboxProject(root: VirtualboxRoot): Promise<VirtualboxProject> {
  const project = copyProject(dataFolder());
  const keepOnSignal = onSignal(() => project.remove());
  const host = makeVirtualboxHost(root);
  // Its images are boot sectors under the names of the real images.
  fs.rmSync(path.join(project.data, "images"));
  for (const name of imageNames(defaultKubernetesVersion, "disk")) host.addImage(name, project.data);
  const environment = {
    ...{ ...project.environment, ...host.environment, GROUNDPLANE_DATA: project.data },
    GROUNDPLANE_GUESTS: "simulated",
  };
  const shell = new ClusterUnderTest({ ...project, environment }, "none");
  const exported = mustSucceed("env", await shell.run([process.execPath, "cli/groundplane.cjs", "env", "--json"]));
  const run = (stack: string) =>
    new ClusterUnderTest({ ...project, environment: { ...environment, ...JSON.parse(exported.stdout) } }, stack);
  const pulumi: VirtualboxProject["pulumi"] = (stack, ...words) =>
    run(stack).run(["pulumi", ...words, "--stack", stack, "--non-interactive", "--color", "never"]);
  return {
    ...{ host, data: project.data, pulumi },
    configure(stack, settings) {
      const indented = settings.replace(/^(?=.)/gm, "    ");
      const file = project.stackFile(stack);
      const salt = fs.existsSync(file) ? (/^encryptionsalt: .*\n/m.exec(fs.readFileSync(file, "utf8"))?.[0] ?? "") : "";
      fs.writeFileSync(file, `${salt}config:\n  groundplane:dataCenter:\n${indented}`);
    },
    mustPulumi: async (stack, ...words) => mustSucceed(words[0] ?? "", await pulumi(stack, ...words)).stdout,
    providers: () =>
      findProcesses((argv) => argv.some((word) => word.startsWith(project.folder) && /provider/.test(word))),
    async close() {
      keepOnSignal();
      await host.close();
      project.remove();
    },
  };
}
