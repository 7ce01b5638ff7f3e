import { type PulumiRun, type TinyProject, tinyProject } from "../support/tiny-project";

const EMPTY_PROGRAM = 'import "@pulumi/pulumi";\n';

/** The same Pulumi with an empty program: the cost of every operation without groundplane's own work. */
export interface EngineAlone {
  /** Seconds. */
  readonly up: () => Promise<number>;
  readonly preview: () => Promise<number>;
  readonly remove: () => void;
}

export async function openEngineAlone(): Promise<EngineAlone> {
  const project: TinyProject = await tinyProject(EMPTY_PROGRAM);
  const up = () => project.pulumi(["up", "--yes", "--skip-preview"]);
  succeeded(await up());
  return {
    up: async () => succeeded(await up()).seconds,
    preview: async () => succeeded(await project.pulumi(["preview"])).seconds,
    remove: () => project.remove(),
  };
}

function succeeded(run: PulumiRun): PulumiRun {
  if (run.code !== 0) throw new Error(`the empty program failed\n${run.output}`);
  return run;
}
