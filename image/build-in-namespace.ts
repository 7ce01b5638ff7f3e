import * as path from "node:path";
import type { Host, NamespaceProblem } from "../model/host";
import { UserError } from "../model/user-error";
import type { ImageRecipe, ProgramsRecipe } from "./recipes/recipe";
import type { BuildContext, Progress } from "./store/build-context";

/** What is to be built as root of a user namespace. Plain data, because a process of its own builds it. */
export type BuildTask =
  | { readonly kind: "images"; readonly recipes: readonly ImageRecipe[]; readonly verify?: boolean }
  | {
      readonly kind: "bundle";
      readonly recipes: readonly ImageRecipe[];
      readonly programs?: readonly ProgramsRecipe[];
      readonly file: string;
      readonly sign?: string;
      readonly packageLocks?: Readonly<Record<string, string>>;
    };

/** Lines of JSON that the process prints; the last one is a result or a failure. */
export type BuildMessage =
  | { readonly progress: Progress }
  | { readonly result: unknown }
  | { readonly failure: { readonly id: string; readonly problem: string; readonly hint: string } };

/** Time to remove incomplete work. */
const GRACE_MS = 15_000;

/** The files of a root tree have many owners, which only root can set: root of the host or of a user namespace. */
export const isOrdinaryUser = ({ facts }: Host): boolean => facts.platform === "linux" && facts.uid !== 0;

/** Why this user cannot build, with the next step; `undefined` for those who can, such as root. */
export async function buildingProblem(host: Host): Promise<UserError | undefined> {
  if (!isOrdinaryUser(host)) return undefined;
  const found = await host.namespaces.problem();
  return found && needsNamespace(found);
}

const needsNamespace = ({ problem, hint }: NamespaceProblem): UserError =>
  new UserError(
    "image-needs-root",
    `images are built by root, or by a user who may be root of a user namespace: ${problem}`,
    `${hint}; or build as root, or load a bundle made elsewhere: npx groundplane bundle load FILE`,
  );

/**
 * Performs the task as root of a user namespace. Owners other than the user become the user's subordinate ids, so only
 * such a namespace can remove what was built.
 * @throws UserError whatever the task throws
 */
export async function buildInNamespace(task: BuildTask, { host, progress, signal }: BuildContext): Promise<unknown> {
  const { facts, folders, namespaces } = host;
  const builder = path.join(folders.project(), "dist", "image-builder.js");
  let last: BuildMessage | undefined;
  const { stderr } = await host.run([...namespaces.asRoot, facts.nodeProgram, builder], {
    stdin: JSON.stringify(task),
    // The user is root there, whose home is another folder.
    env: { HOME: facts.homeFolder },
    signal,
    graceMs: GRACE_MS,
    allowedExitCodes: [0, 1],
    onLine: (line, stream) => {
      if (stream === "stderr") return;
      last = JSON.parse(line) as BuildMessage;
      if ("progress" in last) progress(last.progress);
    },
  });
  if (last && "result" in last) return last.result;
  if (last && "failure" in last) throw new UserError(last.failure.id, last.failure.problem, last.failure.hint);
  throw new Error(`the image builder ended without a result: ${stderr}`);
}
