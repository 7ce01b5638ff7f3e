import * as os from "node:os";
import * as path from "node:path";
import { asNamespaceRoot, namespaceProblem } from "../../host/namespaces";
import { projectFolder } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import type { NamespaceProblem } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { BuildContext } from "../store/progress";
import type { BuildMessage, BuildTask } from "./task";

/** Time to take away what is half made. */
const GRACE_MS = 15_000;

/** Files of a root tree have many owners, which only root can give them: the host's, or a user namespace's. */
export const isOrdinaryUser = (): boolean => process.platform === "linux" && process.getuid?.() !== 0;

/** Why this user can build nothing, with what to do; `undefined` for who can, root among them. */
export async function buildingProblem(): Promise<UserError | undefined> {
  if (!isOrdinaryUser()) return undefined;
  const found = await namespaceProblem();
  return found && needsNamespace(found);
}

const needsNamespace = ({ problem, hint }: NamespaceProblem): UserError =>
  new UserError(
    "image-needs-root",
    `images are built by root, or by a user who may be root of a user namespace: ${problem}`,
    `${hint}; or build as root, or load a bundle made elsewhere: npx groundplane bundle load FILE`,
  );

/**
 * Does the task as root of a user namespace. Owners other than the user become the user's subordinate ids, so only
 * such a namespace can remove what was built.
 * @throws UserError whatever the task throws
 */
export async function buildInNamespace(task: BuildTask, { progress, signal }: BuildContext): Promise<unknown> {
  const builder = path.join(projectFolder(), "dist", "image-builder.js");
  let last: BuildMessage | undefined;
  const { stderr } = await runCommand([...asNamespaceRoot, process.execPath, builder], {
    stdin: JSON.stringify(task),
    // By its number the user is root there, whose home is another.
    env: { HOME: os.homedir() },
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
  throw new Error(`the builder of images ended without a result: ${stderr}`);
}
