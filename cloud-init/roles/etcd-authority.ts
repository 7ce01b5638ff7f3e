import { guestPaths } from "../../model/guest-paths";
import { type DataCenterPlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { commandFile } from "../guest-command";
import type { SeedFile } from "../role-content";

/** What a member of etcd needs for a rotation of etcd's authority. Without one, it has the only authority there is. */
export const etcdAuthority = (plan: DataCenterPlan): readonly SeedFile[] =>
  plan.rotations["etcd-ca"] === undefined
    ? []
    : [
        commandFile("kubernetes/etcd-authority"),
        {
          path: guestPaths.etcdMembers,
          mode: "0644",
          content: nodesOf(plan, "etcd")
            .map(({ name, address }) => `${name} ${address}\n`)
            .join(""),
          changes: { reload: "" },
        },
        // For a machine that joins before the rotation has ended.
        {
          path: `${guestPaths.etcdPki}/former-authorities.pem`,
          mode: "0600",
          secret: "former-etcd-authorities.pem",
        },
      ];
