import type { ControlPlaneForm } from "./control-planes";
import type { GuestCommand } from "./guest-paths";
import { type FixedKey, startOver } from "./kept-keys";
import type { RotatableKey } from "./key-rotations";
import type { Role } from "./roles";

/** How a certificate authority is replaced: by commands of its own, whose stages all machines of a role end one after the other. */
export interface AuthorityRotation {
  readonly command: GuestCommand;
  readonly role: Role;
  /** In their order. Every machine ends one before the first begins the next. */
  readonly stages: readonly AuthorityStage[];
}

export interface AuthorityStage {
  readonly name: "trust" | "reissue" | "follow" | "drop" | "withdraw";
  /** Only on the first machine: what the stage changes is the cluster's. */
  readonly once?: true;
  /** By another command, on all nodes of the cluster and all balancers at the same time. */
  readonly everywhere?: "follow-authority";
}

const [trust, reissue, drop] = [{ name: "trust" }, { name: "reissue" }, { name: "drop" }] as const;
const withdraw = { name: "withdraw", once: true } as const;

export const authorityRotations = {
  "etcd-ca": { command: "etcd-authority", role: "etcd", stages: [trust, reissue, drop] },
  "front-proxy-ca": {
    ...{ command: "front-proxy-authority", role: "master" },
    stages: [trust, reissue, drop, withdraw],
  },
  "kubernetes-ca": {
    ...{ command: "kubernetes-authority", role: "master" },
    stages: [trust, reissue, { name: "follow", everywhere: "follow-authority" }, drop, withdraw],
  },
} as const satisfies Readonly<Partial<Record<RotatableKey, AuthorityRotation>>>;

export type AuthorityName = keyof typeof authorityRotations;
export const authorityNames = Object.keys(authorityRotations) as readonly AuthorityName[];

/** How a stack runs its control plane and its etcd. */
export interface ControlPlaneShape {
  readonly controlPlane: ControlPlaneForm;
  /** Members of etcd in place of the masters. */
  readonly hasMachines: boolean;
  /** The gateway is a member of etcd, beside the masters. */
  readonly hasWitness: boolean;
  /** The cluster's authority is from files of the host. */
  readonly hasGivenAuthority: boolean;
}

const untested = (what: string): string => `no test has replaced the authority of ${what} yet`;

const ofServices: Readonly<Record<AuthorityName, string>> = {
  "etcd-ca": untested("an etcd that is a service"),
  "front-proxy-ca": untested("API servers that are services"),
  "kubernetes-ca": untested("control planes that are services"),
};

/** Where not only masters are members of etcd, or the authority comes from the user. */
const ofOtherShapes: Readonly<Partial<Record<AuthorityName, (shape: ControlPlaneShape) => string | undefined>>> = {
  "etcd-ca"({ hasMachines, hasWitness }) {
    if (hasMachines) return untested("machines of etcd");
    return hasWitness ? untested("a gateway that is a member of etcd") : undefined;
  },
  "kubernetes-ca"({ hasMachines, hasWitness, hasGivenAuthority }) {
    if (hasGivenAuthority) return "it is from files of this host, and is not groundplane's to replace";
    return hasMachines || hasWitness ? untested("a cluster whose etcd has members other than the masters") : undefined;
  },
};

/** Why a stack keeps an authority; `undefined`: it can be replaced. */
export function reasonToKeepAuthority(name: AuthorityName, shape: ControlPlaneShape): FixedKey | undefined {
  const reason = ofOtherShapes[name]?.(shape) ?? (shape.controlPlane === "services" ? ofServices[name] : undefined);
  return reason === undefined ? undefined : { reason, instead: `remove it, or ${startOver}` };
}
