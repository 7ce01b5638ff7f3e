import * as path from "node:path";
import { makeTemporaryFolder, readIfPresent, removeTree } from "../host/file-store";
import { projectFolder, stackFile } from "../host/project-folder";
import { runCommand } from "../host/run-command";
import { CommandError } from "../model/commands";
import { unrecordedKubernetesVersion } from "../model/releases";
import { storedRoles } from "../model/roles";
import { UserError } from "../model/user-error";
import { type RenderedNode, type RenderResult, renderStack, type StackRendering } from "./render-stack";

/**
 * The stack as rendered by a git revision; undefined when the revision has no such stack. The checkout is not changed: the
 * revision is unpacked into a temporary folder.
 *
 * @throws UserError `no-revision` when git does not have it, `other-revision` when it cannot be rendered
 */
export async function renderRevision(revision: string, stack: string): Promise<RenderResult | undefined> {
  const folder = await makeTemporaryFolder("groundplane-revision-");
  try {
    const archive = path.join(folder, "revision.tar");
    await git(["archive", "--format=tar", `--output=${archive}`, await commitOf(revision)]);
    await runCommand(["tar", "--extract", "--file", archive, "--directory", folder]);
    const script = path.join(projectFolder(), "review", "render-revision.cjs");
    const { stdout } = await runCommand([process.execPath, script, folder, stack]);
    const result = JSON.parse(stdout) as RenderResult | Record<string, never>;
    if ("rendering" in result) {
      const rendering = readRendering(result.rendering);
      return { rendering: { ...(await settingsOfFile(folder, stack)), ...rendering } };
    }
    return "problem" in result ? (result as RenderResult) : undefined;
  } catch (error) {
    if (!(error instanceof CommandError) || error.argv[0] !== process.execPath) throw error;
    throw new UserError(
      "other-revision",
      `${revision} cannot be rendered:\n${error.stderr.trim().split("\n").slice(0, 5).join("\n")}`,
      "compare with a later revision",
    );
  } finally {
    await removeTree(folder);
  }
}

/** An earlier revision renders no settings: this one reads its file. Its default release is not that of this one. */
async function settingsOfFile(folder: string, stack: string): Promise<Pick<StackRendering, "settings">> {
  const text = await readIfPresent(path.join(folder, stackFile(stack)));
  const result =
    text === undefined ? undefined : renderStack(text, stack, stackFile(stack), undefined, unrecordedKubernetesVersion);
  const settings = result && "rendering" in result ? result.rendering.settings : undefined;
  return settings ? { settings } : {};
}

/** The full commit id of a revision. */
export async function commitOf(revision: string): Promise<string> {
  // Otherwise git parses a name with a leading dash as an option.
  const argv = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const commit = await git(argv).catch(() => {
    throw new UserError(
      "no-revision",
      `git has no revision ${JSON.stringify(revision)} in this repository`,
      "name a branch, tag or commit; in a shallow clone, fetch it first: `git fetch origin NAME`",
    );
  });
  return commit.trim();
}

const git = async (words: readonly string[]): Promise<string> =>
  (await runCommand(["git", ...words], { cwd: projectFolder() })).stdout;

/** Earlier revisions render one role for each node, and the name of one image. */
interface StoredNode extends Omit<RenderedNode, "roles" | "images"> {
  readonly roles?: RenderedNode["roles"];
  readonly role?: string;
  readonly images?: RenderedNode["images"];
  readonly image?: string;
}

/** The rendering of any revision in the terms of this one. */
export function readRendering(rendering: {
  readonly nodes: readonly StoredNode[];
  readonly driver: StackRendering["driver"];
}): StackRendering {
  const nodes = rendering.nodes.map(({ image, ...node }): RenderedNode => {
    const images = node.images ?? (image === undefined ? {} : { tree: image });
    return { ...node, roles: storedRoles(node), images };
  });
  return { ...rendering, nodes };
}
