import * as pulumi from "@pulumi/pulumi";
import { encryptionConfiguration } from "../cloud-init/files/kubernetes/encryption-configuration";
import { type AuthorityFiles, authorityIssuers } from "../model/cluster-secrets-types";
import { deriveHostKey } from "../model/derive-host-key";
import {
  encryptionKeysIn,
  formerEtcdAuthoritiesIn,
  formerHostSeedsIn,
  formerKubernetesAuthoritiesIn,
  formerUserKeysIn,
} from "../model/former-keys";
import { newValueText, type RotationNumbers } from "../model/key-rotations";
import { type NodeFile, type NodeSeed, publicNameIn, type SecretName, secretNameIn } from "../model/seed";
import type { SshKey } from "../model/ssh-key";
import { ClusterSecrets, type ResourceArgs } from "./resources";

/** The part of a name after this prefix is the node's; the key is derived, not stored. */
const hostKeyPrefix = "ssh-host-key:";
const publicHostKeyPrefix = "ssh-host-key.pub:";

type Values = Readonly<Record<string, string>>;

export interface SecretsArgs {
  /** The stack that owns the keys. */
  readonly stack: string;
  /** A higher version recreates all keys. */
  readonly version: number;
  /** A higher number of a key replaces it. */
  readonly rotations: RotationNumbers;
  /** Of the cluster's authority, if groundplane does not make it; absolute paths. */
  readonly authority?: AuthorityFiles;
  /** Servers with certificates of the cluster's authority, by name: what these are for. */
  readonly servers?: Readonly<Record<string, readonly string[]>>;
}

/** All keys of the data centre, known before any machine exists; each machine gets only those that its seed references. */
export class Secrets extends pulumi.ComponentResource {
  private readonly values: pulumi.Output<Values>;
  /** Cached per node: all connections of a large data centre use the same few keys. */
  private readonly hostKeys = new Map<string, pulumi.Output<string>>();

  constructor(name: string, args: SecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Secrets", name, {}, opts);
    const { rotations, authority, ...keys } = args;
    const asked = Object.values(rotations).some((number) => number !== undefined);
    const inputs = { ...keys, ...(asked && { rotations }), ...(authority && { authority }) };
    const cluster = new ClusterSecrets(`${name}-cluster`, inputs, { parent: this });
    this.values = pulumi.secret(cluster.values);
    this.registerOutputs({});
  }

  /** One secret; stays secret. */
  get(name: SecretName): pulumi.Output<string> {
    return this.values.apply((values) => secretValue(values, name));
  }

  /** What rotations of the user's key replaced, newest first; stays secret. */
  formerUserKeys(): pulumi.Output<readonly string[]> {
    return this.values.apply(formerUserKeysIn);
  }

  /** Only the secrets that a seed references. */
  forSeed(seed: NodeSeed): pulumi.Output<Values> {
    return this.values.apply((values) =>
      Object.fromEntries(seed.secrets.map((name) => [name, secretValue(values, name)])),
    );
  }

  /** The same for a machine of a cluster that has ended its rotations. */
  forLaterSeed(seed: NodeSeed): pulumi.Output<Values> {
    return this.values.apply((values) =>
      Object.fromEntries(seed.secrets.map((name) => [name, secretValue(values, settled[name] ?? name)])),
    );
  }

  /** A public value that belongs to the secrets, e.g. a certificate; shown in previews. */
  getPublic(name: SecretName): pulumi.Output<string> {
    return pulumi.unsecret(this.get(name));
  }

  /** A file of a node with the public value that it may refer to, and with the secrets that come with it. */
  inFile({ alongside, ...file }: NodeFile): ResourceArgs<NodeFile> {
    const name = publicNameIn(file.content);
    return {
      ...file,
      ...(name !== undefined && { content: this.getPublic(name) }),
      ...(alongside && {
        alongside: alongside.map(({ content, ...place }) => {
          const secret = secretNameIn(content);
          return { ...place, content: secret === undefined ? content : this.get(secret) };
        }),
      }),
    };
  }

  /** `ssh-ed25519 AAAA…`, the identity of a node. */
  hostKeyOf(node: string): pulumi.Output<string> {
    const known = this.hostKeys.get(node);
    if (known) return known;
    const key = this.getPublic(`${publicHostKeyPrefix}${node}`);
    this.hostKeys.set(node, key);
    return key;
  }

  /** What rotations replaced, newest first. */
  formerHostKeysOf(node: string): pulumi.Output<readonly string[]> {
    const keys = this.values.apply((values) =>
      formerHostSeedsIn(values).map((seed) => deriveHostKey(seed, node).publicKey),
    );
    return pulumi.unsecret(keys);
  }
}

const derived: Readonly<Record<string, (get: (name: SecretName) => string, values: Values) => string>> = {
  "kubernetes-ca-bundle.crt": (get, values) => get("kubernetes-ca.crt") + (values[authorityIssuers] ?? ""),
  "api-clients.crt": (get) => get("kubernetes-authorities.crt") + get("admin.crt"),
  "settled-api-clients.crt": (get) => get("kubernetes-ca.crt") + get("admin.crt"),
  "kubernetes-authorities.crt": (get, values) =>
    get("kubernetes-ca.crt") + formerKubernetesAuthoritiesIn(values).map(certificateIn).join(""),
  "former-kubernetes-authorities.pem": (_get, values) => formerKubernetesAuthoritiesIn(values).join(""),
  "authorized-keys.pub": (get) => `${get("ssh-user-key.pub")} groundplane\n`,
  "encryption-configuration": (_get, values) => encryptionConfiguration(encryptionKeysIn(values)),
  "settled-encryption-configuration": (_get, values) => encryptionConfiguration(encryptionKeysIn(values).slice(0, 1)),
};

/** Of the PEM text of a certificate and its key. */
const certificateIn = (pair: string): string =>
  /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n/.exec(pair)?.[0] ?? "";

const settled: Readonly<Record<string, SecretName>> = {
  "api-clients.crt": "settled-api-clients.crt",
  "kubernetes-authorities.crt": "kubernetes-ca.crt",
  "encryption-configuration": "settled-encryption-configuration",
};

/** Looks a secret up or derives it. Throws on an unknown name: the seed and the provider disagree. */
export function secretValue(values: Values, name: string): string {
  if (name.startsWith(hostKeyPrefix)) return hostKey(values, name.slice(hostKeyPrefix.length)).privateKey;
  if (name.startsWith(publicHostKeyPrefix)) return hostKey(values, name.slice(publicHostKeyPrefix.length)).publicKey;
  if (name === "former-etcd-authorities.pem") return formerEtcdAuthoritiesIn(values).join("");
  const derive = derived[name];
  if (derive) return derive((each) => secretValue(values, each), values);
  const value = values[name];
  if (value === undefined) throw new Error(`unknown secret ${name}`);
  return value;
}

function hostKey(values: Values, node: string): SshKey {
  const seed = secretValue(values, "ssh-host-seed");
  if (seed !== newValueText("ssh-host-seed")) return deriveHostKey(seed, node);
  const inPreview = newValueText(`SSH host key of ${node}`);
  return { privateKey: inPreview, publicKey: inPreview };
}
