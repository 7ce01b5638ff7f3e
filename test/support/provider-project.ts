import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { LocalWorkspace, PulumiCommand, type PulumiFn, type Stack } from "@pulumi/pulumi/automation";
import { buildSync } from "esbuild";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";

/** A stack whose program is a function of the test, with the real engine and the shipped provider. */
export interface ProviderProject {
  /** GROUNDPLANE_DATA of the provider. */
  readonly dataFolder: string;
  /** Chooses the program of the next operation. */
  program(program: PulumiFn): Promise<Stack>;
  /** Environment of the provider and the CLI in the next operations. */
  setEnvironment(name: string, value: string | undefined): void;
  /** Processes of the current operation. */
  pids(of: "provider" | "pulumi"): readonly number[];
  /** The stack's state as it is stored on disk. */
  stateText(): string;
  remove(): void;
}

const projectFolder = path.resolve(__dirname, "..", "..");
const projectName = "provider-test";
const stackName = "dev";

export interface ProviderProjectOptions {
  /** As on Windows: without a script to start, only the module that Pulumi's Node.js host loads. */
  readonly withoutScript?: boolean;
  /** The plugin of this checkout, for drivers whose helper programs are beside it. */
  readonly inPlace?: boolean;
}

export async function providerProject(options: ProviderProjectOptions = {}): Promise<ProviderProject> {
  const cli = await obtainPulumi();
  const pulumiCommand = await PulumiCommand.get({ root: path.dirname(cli.binFolder) });
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const folders = Object.fromEntries(
    ["data", "state", "home", "work"].map((name) => {
      fs.mkdirSync(path.join(root, name));
      return [name, path.join(root, name)] as const;
    }),
  ) as Record<"data" | "state" | "home" | "work", string>;
  const environment: Record<string, string> = {
    GROUNDPLANE_DATA: folders.data,
    PULUMI_BACKEND_URL: `file://${folders.state}`,
    PULUMI_CONFIG_PASSPHRASE: "only for this test",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const plugins = {
    providers: [{ name: "groundplane", path: options.inPlace ? buildInPlace() : buildPlugin(root, options) }],
  };
  const select = (program: PulumiFn) =>
    LocalWorkspace.createOrSelectStack(
      { stackName, projectName, program },
      {
        pulumiCommand,
        workDir: folders.work,
        pulumiHome: folders.home,
        envVars: { ...environment },
        projectSettings: { name: projectName, runtime: "nodejs", plugins } as never,
      },
    );
  let stack: Stack | undefined;
  return {
    dataFolder: folders.data,
    async program(program) {
      // Selected once, because a selection starts Pulumi.
      stack ??= await select(program);
      Object.assign(stack.workspace, { program, envVars: { ...environment } });
      return stack;
    },
    setEnvironment(name, value) {
      if (value === undefined) delete environment[name];
      else environment[name] = value;
    },
    pids: (of) => {
      const isWanted = {
        provider: (argv: readonly string[]) =>
          argv.some((word) => word.startsWith(root) && word.endsWith("provider.js")),
        pulumi: (argv: readonly string[], cwd: string) => argv[0]?.endsWith("pulumi") === true && cwd === folders.work,
      }[of];
      return processes().flatMap(({ pid, argv, cwd }) => (isWanted(argv, cwd) ? [pid] : []));
    },
    stateText: () =>
      fs.readFileSync(path.join(folders.state, ".pulumi", "stacks", projectName, `${stackName}.json`), "utf8"),
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

function buildInPlace(): string {
  // Builds only missing or outdated bundles, because other tests use them meanwhile.
  execFileSync(process.execPath, ["cli/start.cjs", "--install-only"], { cwd: projectFolder });
  return path.join(projectFolder, "provider", "launcher");
}

/** The plugin's folder: the shipped launcher beside a bundle of the current sources. */
function buildPlugin(root: string, { withoutScript }: ProviderProjectOptions): string {
  const launcher = path.join(root, "provider", "launcher");
  fs.cpSync(path.join(projectFolder, "provider", "launcher"), launcher, { recursive: true });
  if (withoutScript) {
    fs.rmSync(path.join(launcher, "pulumi-resource-groundplane"));
    fs.symlinkSync(path.join(projectFolder, "node_modules"), path.join(root, "node_modules"));
  }
  buildSync({
    entryPoints: [path.join(projectFolder, "provider", "main.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    outfile: path.join(root, "dist", "provider.js"),
    logLevel: "warning",
    external: ["cpu-features", "*.node"],
  });
  return launcher;
}

interface RunningProcess {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly cwd: string;
}

function processes(): readonly RunningProcess[] {
  return fs.readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const argv = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return [{ pid, argv, cwd: fs.readlinkSync(`/proc/${pid}/cwd`) }];
    } catch {
      return []; // the process has just ended
    }
  });
}
