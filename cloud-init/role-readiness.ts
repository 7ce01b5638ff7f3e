import { guestCommand } from "../model/guest-paths";
import type { Role } from "../model/roles";
import { commandFile } from "./guest-command";
import type { RoleContent } from "./role-content";

const path = guestCommand("role-ready");

/**
 * The contents of a node's roles, of which several may have checks of their own: the node is ready when all of them pass. Each check
 * then has the name of its role, and `role-ready` runs them.
 */
export function askEachRole(contents: readonly (readonly [Role, RoleContent])[]): readonly RoleContent[] {
  const checks = contents.flatMap(([role, { files }]) =>
    files.filter((file) => file.path === path).map((file) => ({ role, text: JSON.stringify(file) })),
  );
  if (new Set(checks.map(({ text }) => text)).size < 2) return contents.map(([, content]) => content);
  const named = contents.map(([, content]) => ({
    ...content,
    files: content.files.map((file) => {
      // Roles with the same check have it once.
      const owner = file.path === path && checks.find(({ text }) => text === JSON.stringify(file));
      return owner ? { ...file, path: `${path}-${owner.role}` } : file;
    }),
  }));
  return [...named, { files: [commandFile("common/role-ready")], commands: [], enable: [] }];
}
