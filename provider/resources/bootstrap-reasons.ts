import type { BootstrapInputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";

const nounOf = ({ etcd }: BootstrapInputs): string => (etcd === undefined ? "master" : "etcd machine");

/** Why the start of the cluster must be looked at again. */
export function reasonToUpdate(inputs: BootstrapInputs, isThere: boolean, isMoved: boolean): string {
  if (isMoved) return "a roll to another image was interrupted; `up` completes it";
  return isThere
    ? "a restore was interrupted; `up` completes it"
    : `no ${nounOf(inputs)} with the cluster's data responds`;
}

export function dataGone(inputs: BootstrapInputs): UserError {
  const restore = "restore a backup (`npx groundplane restore FILE`), or ";
  const startOver =
    inputs.etcd === undefined
      ? "set options.rebootstrap to true to start a new, empty cluster"
      : "start over with `npx groundplane destroy`";
  const problem = `no ${nounOf(inputs)} of ${inputs.stack} has the cluster's data`;
  return new UserError("cluster-data-gone", problem, restore + startOver);
}
