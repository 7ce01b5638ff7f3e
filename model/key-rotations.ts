import { formerSecrets } from "./former-keys";
import type { SecretName } from "./seed";

/** A generation of a key during its rotation. */
export type KeyGeneration = "former" | "new";

/** The state of a rotation after one step. Each step begins after the one before it has ended on all nodes. */
export interface KeyStage {
  /** Part of a sentence, for previews. */
  readonly step: string;
  /** The keys that a node accepts; of the nodes' own keys, those that clients do. */
  readonly accepted: readonly KeyGeneration[];
  /** The keys that a client tries, in this order; of the nodes' own keys, the one that a node has. */
  readonly offered: readonly KeyGeneration[];
  /** Nodes change their key together, so those that have done so lose the others for a moment. */
  readonly atOnce?: true;
}

export interface KeyRotation {
  readonly title: string;
  /** The secrets that get other values. */
  readonly secrets: readonly SecretName[];
  readonly stages: readonly KeyStage[];
  /** What else happens: restarts, and what users must do. */
  readonly consequence: string;
}

/** Before and after a rotation. */
export const settledStage = (generation: KeyGeneration): KeyStage => ({
  ...{ step: "", accepted: [generation], offered: [generation] },
});

/** The keys that `up` replaces while the stack runs, when their number in the configuration is raised. */
export const keyRotations = {
  administrator: {
    title: "The administrator's certificate, which is in the kubeconfig",
    secrets: ["admin.crt", "admin.key"],
    stages: [
      { step: "the masters also accept the new certificate", accepted: ["former", "new"], offered: ["former"] },
      { step: "groundplane and the kubeconfig have the new one", accepted: ["former", "new"], offered: ["new"] },
      { step: "the masters no longer accept the former one", accepted: ["new"], offered: ["new"] },
    ],
    consequence:
      "API servers follow without a restart; those that are services restart, one after the other. Get the kubeconfig again.",
  },
  "ssh-user-key": {
    title: "The key with which groundplane and `groundplane ssh` log in to all nodes",
    secrets: ["ssh-user-key", "ssh-user-key.pub"],
    stages: [
      {
        step: "groundplane offers the new key before the former one",
        accepted: ["former"],
        offered: ["new", "former"],
      },
      { step: "each node accepts the new key only", accepted: ["new"], offered: ["new", "former"] },
    ],
    consequence: "Nothing restarts, and open sessions stay.",
  },
  "ssh-host-keys": {
    title: "The keys by which groundplane and `groundplane ssh` recognise the nodes, one for each node",
    secrets: ["ssh-host-seed"],
    stages: [
      {
        step: "groundplane also accepts the new key of each node",
        ...{ accepted: ["former", "new"], offered: ["former"] },
      },
      { step: "each node gets its new key", accepted: ["former", "new"], offered: ["new"] },
      { step: "groundplane accepts the new keys only", accepted: ["new"], offered: ["new"] },
    ],
    consequence:
      "sshd reloads, and open sessions stay. Get the output `knownHosts` again where a client of yours uses it.",
  },
  "etcd-ca": {
    title: "The certificate authority of etcd: of its members, and of the API servers as its clients",
    secrets: ["etcd-ca.crt", "etcd-ca.key", "etcd-client.crt", "etcd-client.key"],
    stages: [
      {
        step: "etcd and the API servers also accept certificates of the new authority",
        accepted: ["former", "new"],
        offered: ["former"],
      },
      { step: "they have certificates of the new one", accepted: ["former", "new"], offered: ["new"] },
      { step: "they no longer accept those of the former one", accepted: ["new"], offered: ["new"] },
    ],
    consequence:
      "Each stage goes from one master to the next, which waits until all members of etcd are healthy. In the first and the last, etcd and the API " +
      "server of the master restart, so a single master does not respond meanwhile.",
  },
  "kubernetes-ca": {
    title:
      "The certificate authority of the cluster: of API servers, kubelets and all others that the API knows by a certificate",
    secrets: ["kubernetes-ca.crt", "kubernetes-ca.key", "kubernetes-ca-hash"],
    stages: [
      {
        step: "API servers also accept certificates of the new authority",
        ...{ accepted: ["former", "new"], offered: ["former"] },
      },
      {
        step: "masters have certificates of the new one, cross-signed by the former one, and sign with it",
        ...{ accepted: ["former", "new"], offered: ["new"] },
      },
      {
        step: "kubelets get certificates of the new one, and nodes and balancers trust it only",
        ...{ accepted: ["former", "new"], offered: ["new"] },
      },
      { step: "API servers no longer accept those of the former one", accepted: ["new"], offered: ["new"] },
      {
        step: "pods are offered the new one, and the add-ons restart to read it",
        ...{ accepted: ["new"], offered: ["new"] },
      },
    ],
    consequence:
      "In three of the stages the control planes restart, one master after the other, so a single master does not respond meanwhile. Kubelets " +
      "restart; your pods go on. Most programs read `kube-root-ca.crt` only when they start: restart your pods that use the API after the " +
      "rotation, before another master is recreated or renews its certificates, which they would not trust. Get the kubeconfig again.",
  },
  "front-proxy-ca": {
    title: "The authority of the certificate with which API servers name a user to the servers of API extensions",
    secrets: ["front-proxy-ca.crt", "front-proxy-ca.key"],
    stages: [
      {
        step: "API servers and extensions also accept certificates of the new authority",
        accepted: ["former", "new"],
        offered: ["former"],
      },
      { step: "API servers have certificates of the new one", accepted: ["former", "new"], offered: ["new"] },
      { step: "they no longer accept those of the former one", accepted: ["former", "new"], offered: ["new"] },
      { step: "extensions no longer accept them", accepted: ["new"], offered: ["new"] },
    ],
    consequence:
      "Nothing restarts. API servers read their new certificates within a minute, which the rotation waits for.",
  },
  "corosync-key": {
    title: "The key with which the gateway and the balancers encrypt the messages of Corosync",
    secrets: ["corosync-key"],
    stages: [
      {
        step: "the gateway and the balancers get the new key, and go on with the former one",
        ...{ accepted: ["former"], offered: ["former"] },
      },
      { step: "all of them change to the new one at once", accepted: ["new"], offered: ["new"], atOnce: true },
    ],
    consequence:
      "One balancer may lose the others for two seconds. If it holds the floating IP, the other one takes it over, as after a failure.",
  },
  "encryption-key": {
    title: "The key with which API servers encrypt Secrets in etcd, and masters their backups",
    secrets: ["encryption-key"],
    stages: [
      { step: "each API server also reads the new key", accepted: ["former", "new"], offered: ["former"] },
      { step: "each writes with the new key", accepted: ["former", "new"], offered: ["new"] },
      { step: "every Secret is written again", accepted: ["former", "new"], offered: ["new"] },
      { step: "each API server has the new key only", accepted: ["new"], offered: ["new"] },
    ],
    consequence: "In three of the stages API servers restart, one after the other.",
  },
  "service-account-key": {
    title: "The key that signs the tokens of service accounts",
    secrets: ["service-account.key", "service-account.pub"],
    stages: [
      { step: "each API server also accepts tokens of the new key", accepted: ["former", "new"], offered: ["former"] },
      { step: "each master signs with the new key", accepted: ["former", "new"], offered: ["new"] },
      {
        step: "kubelets restart and renew the tokens of all pods, and token Secrets get new tokens",
        accepted: ["former", "new"],
        offered: ["new"],
      },
      { step: "each API server accepts the new key only", accepted: ["new"], offered: ["new"] },
    ],
    consequence:
      "API servers and controller managers restart, one master after the other; pods stay. Tokens of `kubectl create token` end: get them again.",
  },
} as const satisfies Readonly<Record<string, KeyRotation>>;

export type RotatableKey = keyof typeof keyRotations;
export const rotatableKeys = Object.keys(keyRotations) as readonly RotatableKey[];

/** How often each key was asked to be replaced; absent = never. */
export type RotationNumbers = Readonly<Partial<Record<RotatableKey, number>>>;

/** What a preview shows in place of a new value. */
export const newValueText = (secret: string): string => `(the new ${secret})`;

/** The keys of a later configuration that need another value. */
export const keysToRotate = (before: RotationNumbers, after: RotationNumbers): readonly RotatableKey[] =>
  rotatableKeys.filter((key) => (after[key] ?? 0) > (before[key] ?? 0));

/** The stages in one sentence, in their order. */
export function describeStages({ stages }: KeyRotation): string {
  const [first = "", ...others] = stages.map(({ step }) => step);
  return `${first[0]?.toUpperCase()}${first.slice(1)}${others.map((step) => `; then ${step}`).join("")}.`;
}

/** The secrets that rotations replace. Two sets of keys that differ only in them are of the same cluster. */
export const isRotated = (secret: string): boolean =>
  rotatableKeys.some((key) => {
    const secrets: readonly string[] = keyRotations[key].secrets;
    return secrets.includes(secret);
  }) || formerSecrets.includes(secret);
