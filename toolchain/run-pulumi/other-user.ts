import * as path from "node:path";
import { dataFolder, localStateFile, stackFolder } from "../../host/data-folder";
import { closedFolder, currentUser, findForeignFile, homeFolders } from "../../host/file-access";
import { UserError } from "../../model/user-error";

/**
 * A stack belongs to the user who created it: its keys are readable by that user only, VirtualBox has a registry for each
 * user, and files of another user would lock its owner out. `undefined` if the stack is this user's, or does not exist.
 */
export async function otherUserProblem(stack: string): Promise<UserError | undefined> {
  const found = await findForeignFile([localStateFile(stack), stackFolder(stack)]);
  if (!found?.file.startsWith(dataFolder())) return undefined;
  const { file, owner } = found;
  return otherUser(
    `${file} belongs to ${owner}, and this command runs as ${currentUser()}`,
    stack,
    owner,
    dataFolder(),
  );
}

/**
 * For commands that read a stack's files.
 * @throws UserError `other-user`, or `folder-closed` if another user's folder is above the data folder
 */
export async function refuseOtherUser(stack: string): Promise<void> {
  const foreign = await otherUserProblem(stack);
  if (foreign) throw foreign;
  const closed = await closedFolder(dataFolder(), DATA_FOLDER);
  if (closed) throw new UserError(closed.id, closed.problem, closed.hint);
}

/** As a message calls it. */
export const DATA_FOLDER = "the data folder, GROUNDPLANE_DATA";

const otherUser = (problem: string, stack: string, owner: string, data: string): UserError =>
  new UserError(
    "other-user",
    `the stack ${stack} is another user's: ${problem}`,
    `run the command as ${owner}, e.g. sudo -u ${owner} env GROUNDPLANE_DATA="${data}" npx groundplane status --stack ${stack}`,
  );

/**
 * A stack that this user does not have.
 * @returns `other-user` if another user's default data folder has it, as far as this user can see, else `stack-not-up`
 */
export async function stackNotUp(stack: string): Promise<UserError> {
  for (const { user, home } of await homeFolders()) {
    const data = path.join(home, ".local", "share", "groundplane");
    const file = localStateFile(stack, path.join(data, "state"));
    if ((await findForeignFile([file]))?.file !== file) continue;
    return otherUser(`${data} has its state, and this command runs as ${currentUser()}`, stack, user, data);
  }
  return new UserError(
    "stack-not-up",
    `the stack ${stack} is not up`,
    `\`npx groundplane start --stack ${stack}\` brings it up`,
  );
}
