import { possibleHostKeys } from "./former-keys";
import type { Role } from "./roles";
import { UserError } from "./user-error";

/** The outputs of a stack: components/data-center-outputs.ts gives them, the commands read them. */
export interface StackOutputs {
  /** Where this host reaches the API. */
  readonly apiEndpoint: string;
  /** Where the nodes reach the API: the floating IP. */
  readonly clusterEndpoint: string;
  /** Secret. */
  readonly kubeconfig: string;
  readonly gatewaySsh: GatewaySsh;
  /** OpenSSH format. Secret. */
  readonly sshPrivateKey: string;
  /** Those that rotations replaced, newest first: nodes that an interrupted one has not reached accept them. Secret. */
  readonly formerSshKeys?: readonly string[];
  readonly inventory: readonly InventoryEntry[];
  /** Lines of an OpenSSH known_hosts file for the gateway's port and every node. */
  readonly knownHosts: string;
}

export interface GatewaySsh {
  readonly host: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** As in `InventoryEntry`. */
  readonly formerHostKeys?: readonly string[];
}

export interface InventoryEntry {
  readonly name: string;
  /** The primary role. */
  readonly role: string;
  /** Absent in the outputs of earlier revisions. */
  readonly roles?: readonly Role[];
  /** Absent where its part of the control plane are static pods, or where it has none. */
  readonly controlPlane?: "services";
  readonly address: string;
  readonly fqdn: string;
  /** In the order of the node's interfaces. */
  readonly macs: readonly string[];
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** Those that rotations replaced, newest first: the node has one of them until a rotation reaches it. */
  readonly formerHostKeys?: readonly string[];
}

/**
 * The outputs with those former host keys only that nodes may still have.
 *
 * @param followed the keys with which nodes have ended rotations
 */
export function withoutEndedHostKeys(outputs: StackOutputs, followed: readonly string[]): StackOutputs {
  const possible = <T extends Pick<InventoryEntry, "hostKey" | "formerHostKeys">>(node: T): T => {
    const { hostKey, formerHostKeys } = node;
    if (!formerHostKeys) return node;
    return { ...node, formerHostKeys: possibleHostKeys([hostKey, ...formerHostKeys], followed).slice(1) };
  };
  const { gatewaySsh, inventory } = outputs;
  return { ...outputs, gatewaySsh: possible(gatewaySsh), inventory: inventory.map(possible) };
}

/** @throws UserError `no-such-node` with the names that exist */
export function findNode(outputs: StackOutputs, name: string): InventoryEntry {
  const node = outputs.inventory.find((entry) => entry.name === name);
  if (node) return node;
  const names = outputs.inventory.map((entry) => entry.name).join(", ");
  throw new UserError("no-such-node", `the stack has no node called ${JSON.stringify(name)}`, `use one of: ${names}`);
}
