import { connectAnyGuest } from "../guests/connect-guest";
import { closeGuests } from "../guests/guest-ssh";
import { type KubernetesNode, listNodes } from "../guests/kubernetes-api";
import type { Hypervisor, PowerState } from "../hypervisors/hypervisor";
import { guestCommand } from "../model/guest-paths";
import { isClusterNode, type Role, storedRoles } from "../model/roles";
import type { InventoryEntry, StackOutputs } from "../model/stack-outputs";

const RESPONSE_TIMEOUT_MS = 10_000;

export interface MachineStatus {
  readonly name: string;
  /** The primary role. */
  readonly role: string;
  readonly roles: readonly Role[];
  readonly address: string;
  readonly power: PowerState | "absent";
  /** All checks of its role pass. */
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  /** Its Node object; undefined for machines outside the cluster. */
  readonly kubernetes: Pick<KubernetesNode, "ready" | "version"> | undefined;
}

export interface StackStatus {
  readonly stack: string;
  readonly driver: string;
  readonly api: { readonly endpoint: string; readonly ready: boolean; readonly reason: string };
  readonly machines: readonly MachineStatus[];
}

/** Queries the hypervisor, every node and the cluster in parallel. Changes nothing. */
export async function stackStatus(stack: string, outputs: StackOutputs, driver: Hypervisor): Promise<StackStatus> {
  const cluster = await listNodes(outputs.kubeconfig).then(
    (nodes) => ({ nodes, reason: "" }),
    (error: Error) => ({ nodes: [] as readonly KubernetesNode[], reason: error.message }),
  );
  const machines = await Promise.all(
    outputs.inventory.map(async (node): Promise<MachineStatus> => {
      const power = (await driver.inspectMachine({ stack, name: node.name }))?.power ?? "absent";
      const reason = power === "running" ? await readinessProblem(node, outputs) : `is ${power}`;
      const { name, role, address } = node;
      const kubernetes = cluster.nodes.find((entry) => entry.name === name);
      return { name, role, roles: storedRoles(node), address, power, ready: reason === "", reason, kubernetes };
    }),
  ).finally(closeGuests);
  const api = { endpoint: outputs.apiEndpoint, ready: cluster.reason === "", reason: cluster.reason };
  return { stack, driver: driver.name, api, machines };
}

/** True when every check passes. */
export function isHealthy({ api, machines }: StackStatus): boolean {
  const isMember = ({ roles, kubernetes }: MachineStatus): boolean =>
    !isClusterNode(roles) || kubernetes?.ready === true;
  return api.ready && machines.every((machine) => machine.ready && isMember(machine));
}

async function readinessProblem(node: InventoryEntry, outputs: StackOutputs): Promise<string> {
  const connection = {
    bastionPort: outputs.gatewaySsh.port,
    bastionHostKey: outputs.gatewaySsh.hostKey,
    address: node.address,
    hostKey: node.hostKey,
    privateKey: outputs.sshPrivateKey,
  };
  const signal = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
  try {
    const guest = await connectAnyGuest(connection, { signal });
    const { code, stdout, stderr } = await guest.run([guestCommand("node-ready")], { signal });
    return code === 0 ? "" : stdout.trim() || stderr.trim() || `node-ready exited with code ${code}`;
  } catch (error) {
    return signal.aborted ? `no response within ${RESPONSE_TIMEOUT_MS} ms` : (error as Error).message;
  }
}
