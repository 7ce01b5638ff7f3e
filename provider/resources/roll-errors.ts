import type { NodeImageInputs } from "../../model/node-image-types";
import { UserError } from "../../model/user-error";

export const messageOf = (error: unknown): string =>
  error instanceof UserError ? error.problem : error instanceof Error ? error.message : String(error);

/** Before anything is changed. */
export const rollRefused = ({ node, image }: NodeImageInputs, former: string, error: unknown): UserError =>
  new UserError(
    "image-roll-refused",
    `${node} keeps the image ${former} and does not move to ${image} now: ${messageOf(error)}`,
    "repair what is unhealthy and run `up` again; see `npx groundplane status`",
  );

/** @param rollback what failed while the former image returned, empty on success; `undefined`: there is nothing to return to */
export function rollFailed(
  { node, image, alongside = [] }: NodeImageInputs,
  former: string,
  error: unknown,
  rollback: string | undefined,
): UserError {
  const now =
    rollback === undefined
      ? "it is away"
      : rollback === ""
        ? `it has its former image ${former} again`
        : `its return to ${former} failed: ${rollback}`;
  const others = alongside.length > 0 ? `it and ${alongside.join(", ")}` : "it";
  return new UserError(
    "image-roll-failed",
    `${node} does not work with the image ${image}, and ${now}; no node after ${others} was changed: ${messageOf(error)}`,
    `correct the cause and run \`up\` again; see \`npx groundplane logs ${node}\``,
  );
}
