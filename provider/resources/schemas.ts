import type { ObjectSchema, PropertySchema } from "../rpc/package-schema";

/** Property schemas that several resource types share. */

export const text = (description?: string): PropertySchema => ({ type: "string", description });
export const whole = (description?: string): PropertySchema => ({ type: "integer", description });
export const flag = (description?: string): PropertySchema => ({ type: "boolean", description });
export const list = (items: PropertySchema, description?: string): PropertySchema => ({
  type: "array",
  items,
  description,
});
export const secretText = (description?: string): PropertySchema => ({ type: "string", description, secret: true });

export const roles = list(text(), "The roles of the node, e.g. master and etcd.");
export const driver = text("The driver of the stack.");
export const stack = text("The stack that the object belongs to.");

const slowdown = whole("Factor by which the node is slower than a native one; it multiplies time limits. Absent = 1.");

export const connection: ObjectSchema = {
  type: "object",
  name: "GuestConnection",
  description: "Access to a node: SSH through the gateway's port on 127.0.0.1 with pinned host keys.",
  properties: {
    bastionPort: whole("The gateway's SSH port on 127.0.0.1."),
    bastionHostKey: text("ssh-ed25519 AAAA… of the gateway."),
    address: text("The node's planned address."),
    hostKey: text("ssh-ed25519 AAAA… of the node."),
    hostKeyIsPresent: flag("No host key that a rotation replaced is accepted; absent = false."),
    privateKey: secretText("OpenSSH private key of the administrator."),
    slowdown,
  },
  optional: ["slowdown", "hostKeyIsPresent"],
};

export const apiConnection: ObjectSchema = {
  type: "object",
  name: "ApiConnection",
  description: "The administrator's access to the cluster's API.",
  properties: {
    server: text("https://127.0.0.1:<port>"),
    certificateAuthority: text("PEM."),
    clientCertificate: text("PEM."),
    clientKey: secretText("PEM."),
    slowdown,
  },
  optional: ["slowdown"],
};

export const bootstrapMember: ObjectSchema = {
  type: "object",
  name: "BootstrapMember",
  description: "One master.",
  properties: { name: text(), address: text(), connection },
};

const accompanyingFile: ObjectSchema = {
  type: "object",
  name: "AccompanyingFile",
  description: "A file that comes with another one.",
  properties: { path: text("Absolute path."), mode: text("Octal, e.g. 0400."), content: text() },
};

export const commandAfterJoin: ObjectSchema = {
  type: "object",
  name: "CommandAfterJoin",
  description: "What a node does when it has joined the cluster from a new disk.",
  properties: {
    command: list(text(), "Program and arguments."),
    files: list(accompanyingFile, "Written before it runs."),
  },
};

export const privateFile: ObjectSchema = {
  type: "object",
  name: "PrivateFile",
  description: "A file with a secret.",
  properties: { path: text("Absolute path."), mode: text("Octal, e.g. 0600."), content: secretText() },
};

export const nodeFile: ObjectSchema = {
  type: "object",
  name: "NodeFile",
  description: "A file that is kept up to date on a running node.",
  properties: {
    path: text("Absolute path."),
    mode: text("Octal, e.g. 0644."),
    content: text(),
    reload: text("Shell command that activates a changed file; empty = none."),
    check: text(
      'Shell command that validates a new text in the file "$1" before it replaces the old one; absent = none.',
    ),
    alongside: list(accompanyingFile, "Written with a changed file, and not compared."),
    release: text("The version of Kubernetes whose nodes have it; absent = all."),
  },
  optional: ["check", "alongside", "release"],
};
