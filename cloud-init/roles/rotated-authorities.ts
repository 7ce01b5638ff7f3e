import { type AuthorityName, authorityNames, authorityRotations } from "../../model/authority-rotations";
import { guestPaths } from "../../model/guest-paths";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { commandFile } from "../guest-command";
import type { SeedFile } from "../role-content";

/** What a machine needs for the rotations of certificate authorities. Without one, it has the only authorities there are. */
export function rotatedAuthorities(plan: DataCenterPlan, { roles }: NodePlan): readonly SeedFile[] {
  const rotated = authorityNames.filter(
    (name) => plan.rotations[name] !== undefined && roles.includes(authorityRotations[name].role),
  );
  if (rotated.length === 0) return [];
  return [
    { ...commandFile("kubernetes/authority-stages"), mode: "0644" },
    ...rotated.flatMap((name) => [
      commandFile(`kubernetes/${authorityRotations[name].command}`),
      ...(besides[name]?.(plan) ?? []),
    ]),
  ];
}

const besides: Readonly<Partial<Record<AuthorityName, (plan: DataCenterPlan) => readonly SeedFile[]>>> = {
  "etcd-ca": (plan) => [
    {
      path: guestPaths.etcdMembers,
      mode: "0644",
      content: nodesOf(plan, "etcd")
        .map(({ name, address }) => `${name} ${address}\n`)
        .join(""),
      changes: { reload: "" },
    },
    // For a machine that joins before the rotation has ended.
    { path: `${guestPaths.etcdPki}/former-authorities.pem`, mode: "0600", secret: "former-etcd-authorities.pem" },
  ],
  "kubernetes-ca": () => [
    { path: guestPaths.formerAuthorities, mode: "0600", secret: "former-kubernetes-authorities.pem" },
  ],
};
