/**
 * What one machine reads at first boot (cloud-init NoCloud), and which parts of it may change afterwards.
 *
 * Secrets stand in these texts as references, which the provider fills in when it writes the seed:
 * - `${secret:NAME}`         a single-line secret (token, hex, base64url), wherever text may stand;
 * - `${secret-base64:NAME}`  base64 of the whole secret, for `write_files` entries with `encoding: b64`.
 * Names are those of `SecretName`.
 */

export interface NodeSeed {
  readonly node: string;
  /** `#cloud-config` … with a final newline. */
  readonly userData: string;
  readonly metaData: string;
  /** Network configuration version 2, interfaces matched by MAC. */
  readonly networkConfig: string;
  /** Names of the secrets that the texts refer to, sorted. */
  readonly secrets: readonly SecretName[];
  /** The files that may change while the node lives, as the seed writes them. */
  readonly files: readonly NodeFile[];
}

/**
 * A file of a node that `NodeFiles` keeps equal to what is rendered. Its content holds no secret. A whole content of
 * `${public:NAME}` is replaced by that public value, see `publicReference`.
 */
export interface NodeFile {
  readonly path: string;
  /** Octal text, e.g. `0644`. */
  readonly mode: string;
  readonly content: string;
  /**
   * Shell command that makes the running node use a changed file, e.g. `systemctl reload haproxy`; empty = none
   * needed. Commands that are equal run once after all files are in place. It must tolerate a service that is not
   * active, and being run again with the former file.
   */
  readonly reload: string;
  /**
   * Shell command that looks at the new text, in the file `"$1"`, before it takes the place of the former one; when it
   * fails, none of the node's files changes.
   */
  readonly check?: string;
  /**
   * Written together with a changed file, before anything is activated, and not compared: secrets, and what only the change needs.
   * A whole content of `${secret:NAME}` is replaced by that secret.
   */
  readonly alongside?: readonly AccompanyingFile[];
  /** The version of Kubernetes that it is for. A node whose image has another one gets it with its next image. */
  readonly release?: string;
}

export interface AccompanyingFile {
  readonly path: string;
  /** Octal text, e.g. `0400`. */
  readonly mode: string;
  readonly content: string;
}

/** The values among the secrets that are no secrets: certificates and public keys. */
export type PublicName = Extract<SecretName, `${string}.crt` | `${string}.pub` | `ssh-host-key.pub:${string}`>;

/** The content of a `NodeFile` that is a public value of the stack, known when its keys exist. */
export const publicReference = (name: PublicName): string => `\${public:${name}}`;

/** The name in a content that is such a reference. */
export const publicNameIn = (content: string): PublicName | undefined =>
  /^\$\{public:([^}]+)\}$/.exec(content)?.[1] as PublicName | undefined;

/** The name in a content that is a secret as a whole. */
export const secretNameIn = (content: string): SecretName | undefined =>
  /^\$\{secret:([^}]+)\}$/.exec(content)?.[1] as SecretName | undefined;

/** `ssh-host-key:<node>` is derived per node from the stack's host seed, so that a new node changes no other secret. */
export type SecretName =
  | "kubernetes-ca.crt"
  | "kubernetes-ca.key"
  /** Derived: by which programs verify the API servers: `kubernetes-ca.crt`, and the issuers of an authority that was given. */
  | "kubernetes-ca-bundle.crt"
  /** Derived: those that rotations replaced, newest first, each with its key. */
  | "former-kubernetes-authorities.pem"
  /** Derived: the present authority, and those that rotations replaced. */
  | "kubernetes-authorities.crt"
  | "front-proxy-ca.crt"
  | "front-proxy-ca.key"
  | "etcd-ca.crt"
  | "etcd-ca.key"
  /** Derived: those that rotations replaced, newest first, each with its key. */
  | "former-etcd-authorities.pem"
  /** The API server's certificate for etcd, where etcd has machines of its own and masters do not have its authority's key. */
  | "etcd-client.crt"
  | "etcd-client.key"
  | "service-account.key"
  | "service-account.pub"
  /** Its own authority: API servers accept this one certificate, so that they can stop. */
  | "admin.crt"
  | "admin.key"
  /** Derived: the authorities of the certificates that API servers accept from clients. */
  | "api-clients.crt"
  /** Derived: the same without the authorities that rotations replaced. */
  | "settled-api-clients.crt"
  /** Of the stack's registry, signed by the cluster's authority. Only in stacks with a registry. */
  | "registry.crt"
  | "registry.key"
  /** `sha256:…` of the CA's public key. */
  | "kubernetes-ca-hash"
  /** base64 of 32 random bytes. */
  | "encryption-key"
  /** Derived: what an API server reads, with the former keys, which a restored backup needs. */
  | "encryption-configuration"
  /** Derived: the same with the present key only. */
  | "settled-encryption-configuration"
  /** 256 bytes of hex text, corosync's authkey (any ≥ 128 bytes). */
  | "corosync-key"
  /** OpenSSH private key of the administrator. */
  | "ssh-user-key"
  /** `ssh-ed25519 AAAA…` without comment. */
  | "ssh-user-key.pub"
  /** Derived: the file of a node with the keys that may log in. */
  | "authorized-keys.pub"
  /** hex, 32 bytes: every node's SSH host key is derived from it and the node's name. */
  | "ssh-host-seed"
  | `ssh-host-key:${string}`
  | `ssh-host-key.pub:${string}`;
