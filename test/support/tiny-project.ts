import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { transformSync } from "esbuild";
import { installCommandPlugin, installedCommandPlugin } from "../../toolchain/install-command-plugin";
import { obtainPulumi } from "../../toolchain/obtain-pulumi";
import { isStandIn } from "../../toolchain/stand-ins";

const projectFolder = path.resolve(__dirname, "..", "..");

export interface PulumiRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, for messages that may appear on either. */
  readonly output: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly stdin?: string;
  /** Called with the complete output so far at each new output. */
  readonly onOutput?: (output: string, pid: number) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

/** A Pulumi project of one program in a temporary folder, with its own backend and PULUMI_HOME. */
export interface TinyProject {
  readonly folder: string;
  /** Which parts are ours, because the official ones cannot be had here. */
  readonly standIns: { readonly host: boolean; readonly plugin: boolean };
  writeProgram(text: string): void;
  pulumi(args: readonly string[], options?: RunOptions): Promise<PulumiRun>;
  /** The stack's state as it is stored on disk. */
  stateText(): string;
  /** Returns a function that restores the stack's current state: a clean start that is faster than an `up`. */
  keepState(): () => void;
  remove(): void;
}

export interface TinyProjectOptions {
  /** TypeScript programs run as JavaScript, because loading the compiler takes a second in each operation. */
  readonly compiled?: boolean;
}

/** Reason for skipping a test of what the official parts do not promise. */
export const OFFICIAL = "the official part is used, which does not promise this";

/** Creates a project with the stack `dev`, with the Pulumi that `npm start` uses. */
export async function tinyProject(program: string, { compiled }: TinyProjectOptions = {}): Promise<TinyProject> {
  const cli = await obtainPulumi();
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-test-"));
  const [folder, home, state] = ["project", "home", "state"].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [folder, home, state]) fs.mkdirSync(made);
  await installCommandPlugin(cli, home);
  writeProjectFiles(folder, compiled);
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${cli.binFolder}${path.delimiter}${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_HOME: home,
    PULUMI_CONFIG_PASSPHRASE: "only for this test",
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // The test runner's own settings would turn each program into a test.
    NODE_OPTIONS: undefined,
    NODE_TEST_CONTEXT: undefined,
  };
  const stateFile = path.join(state, ".pulumi", "stacks", "tiny", "dev.json");
  const project: TinyProject = {
    folder,
    standIns: {
      host: await isStandIn(path.join(cli.binFolder, "pulumi-language-nodejs"), "language-host"),
      plugin: (await installedCommandPlugin(home)) === "stand-in",
    },
    writeProgram: (text) => {
      const javascript = compiled && transformSync(text, { loader: "ts", format: "cjs", target: "node20" }).code;
      fs.writeFileSync(path.join(folder, entryFile(compiled)), javascript || text);
    },
    pulumi: (args, options = {}) => run(folder, args, { ...environment, ...options.environment }, options),
    stateText: () => fs.readFileSync(stateFile, "utf8"),
    keepState: () => {
      const kept = fs.readFileSync(stateFile);
      return () => fs.writeFileSync(stateFile, kept);
    },
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
  project.writeProgram(program);
  await project.pulumi(["stack", "init", "dev"]);
  return project;
}

/** Without a type check, which takes seconds. */
const compilerOptions = {
  ...{ target: "ES2022", lib: ["ES2022"], module: "commonjs", moduleResolution: "node10" },
  ...{ noCheck: true, esModuleInterop: true, skipLibCheck: true, sourceMap: true },
};

const entryFile = (compiled = false): string => (compiled ? "index.js" : "index.ts");

function writeProjectFiles(folder: string, compiled?: boolean): void {
  const guard = path.join(projectFolder, "toolchain", "preload.cjs");
  const language = compiled ? { typescript: false } : { tsconfig: "tsconfig.json" };
  const options = { ...language, nodeargs: `--require ${guard} --stack-trace-limit=20` };
  const files = {
    "Pulumi.yaml": JSON.stringify({ name: "tiny", runtime: { name: "nodejs", options } }),
    "package.json": JSON.stringify({
      name: "tiny",
      main: entryFile(compiled),
      dependencies: { "@pulumi/pulumi": "3.248.0", "@pulumi/command": "1.2.1" },
    }),
    "tsconfig.json": JSON.stringify({ compilerOptions }),
  };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  fs.symlinkSync(path.join(projectFolder, "node_modules"), path.join(folder, "node_modules"));
}

function run(
  folder: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  options: RunOptions,
): Promise<PulumiRun> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const argv = ["--non-interactive", "--color", "never", ...args];
    const child = spawn("pulumi", argv, { cwd: folder, env: environment, stdio: ["pipe", "pipe", "pipe"] });
    const text = { stdout: "", stderr: "", output: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        text[name] += chunk;
        text.output += chunk;
        options.onOutput?.(text.output, child.pid as number);
      });
    }
    child.stdin.end(options.stdin ?? "");
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...text, seconds: (performance.now() - started) / 1000 }));
  });
}
