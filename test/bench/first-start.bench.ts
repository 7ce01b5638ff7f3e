import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { runCommand } from "../../host/run-command";
import type { Bench, Round } from "./bench";
import { labVariants } from "./lab-under-bench";
import { stackUnavailable } from "./stack-under-bench";

const projectFolder = path.resolve(__dirname, "..", "..");
const STACK = "bench";

/**
 * `npm start` in a fresh clone of what is committed, with only the package registries: no data folder, no
 * dependencies, empty Go caches. Installed host packages stay installed, and npm's own cache is used.
 */
export const firstStart: Bench = {
  rows: [{ name: "first-start", unit: "s", what: "`npm start` in a fresh clone with package registries only" }],
  configurations: [labVariants.standard],
  onlyWhenNamed: true,
  unavailable: stackUnavailable,
  async measure(round) {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-bench-"));
    await startInClone(root, round);
    fs.rmSync(root, { recursive: true });
  },
};

/** The folder is kept, and the error names it, when the stack cannot be destroyed. */
async function startInClone(root: string, round: Round): Promise<void> {
  const clone = path.join(root, "groundplane");
  const run = {
    cwd: clone,
    env: {
      GROUNDPLANE_DATA: path.join(root, "data"),
      GOCACHE: path.join(root, "go-build"),
      GOMODCACHE: path.join(root, "go-modules"),
      CI: "true",
    },
  };
  execFileSync("git", ["clone", "--quiet", projectFolder, clone]);
  const settings = { config: { "groundplane:dataCenter": labVariants.standard } };
  fs.writeFileSync(path.join(clone, "stacks", `Pulumi.${STACK}.yaml`), stringify(settings));
  try {
    const started = performance.now();
    await runCommand(["npm", "start", "--", "--yes", "--stack", STACK], { ...run, signal: round.signal });
    round.record("first-start", { value: (performance.now() - started) / 1000 });
  } finally {
    if (fs.existsSync(path.join(clone, "dist"))) {
      await runCommand([process.execPath, "cli/groundplane.cjs", "destroy", "--yes", "--stack", STACK], run);
    }
  }
}
