import * as pulumi from "@pulumi/pulumi";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import { renderKubeconfig } from "./kubeconfig";
import type { Secrets } from "./secrets";

/** One node as the stack's `inventory` output lists it. */
export interface InventoryEntry {
  readonly name: string;
  readonly role: string;
  readonly address: string;
  readonly fqdn: string;
  /** In the order of the node's interfaces. */
  readonly macs: readonly string[];
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: pulumi.Output<string>;
}

export interface GatewaySsh {
  readonly host: string;
  readonly port: number;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: pulumi.Output<string>;
}

/** What the stack tells the world, and the commands read. */
export interface DataCenterOutputs {
  /** Where this host reaches the API. */
  readonly apiEndpoint: string;
  /** Where the nodes reach the API: the floating IP. */
  readonly clusterEndpoint: string;
  /** Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  readonly gatewaySsh: GatewaySsh;
  /** OpenSSH format. Secret. */
  readonly sshPrivateKey: pulumi.Output<string>;
  readonly inventory: readonly InventoryEntry[];
  /** Lines of an OpenSSH known_hosts file for the gateway's port and every node. */
  readonly knownHosts: pulumi.Output<string>;
}

export function dataCenterOutputs(plan: DataCenterPlan, secrets: Secrets): DataCenterOutputs {
  const apiEndpoint = `https://127.0.0.1:${plan.hostPorts.api}`;
  return {
    apiEndpoint,
    clusterEndpoint: `https://${plan.kubernetes.endpoint}`,
    kubeconfig: kubeconfigOf(plan, apiEndpoint, secrets),
    gatewaySsh: { host: "127.0.0.1", port: plan.hostPorts.ssh, hostKey: secrets.hostKeyOf("gateway") },
    sshPrivateKey: secrets.get("ssh-user-key"),
    inventory: plan.nodes.map(({ name, role, address, fqdn, interfaces }) => ({
      name,
      role,
      address,
      fqdn,
      macs: interfaces.map((nic) => nic.mac),
      hostKey: secrets.hostKeyOf(name),
    })),
    knownHosts: knownHostsOf(plan, secrets),
  };
}

function kubeconfigOf(plan: DataCenterPlan, server: string, secrets: Secrets): pulumi.Output<string> {
  return pulumi
    .all([secrets.get("kubernetes-ca.crt"), secrets.get("admin.crt"), secrets.get("admin.key")])
    .apply(([certificateAuthority, clientCertificate, clientKey]) =>
      renderKubeconfig({ stack: plan.stack, server, certificateAuthority, clientCertificate, clientKey }),
    );
}

function knownHostsOf(plan: DataCenterPlan, secrets: Secrets): pulumi.Output<string> {
  const bastion = pulumi.interpolate`[127.0.0.1]:${plan.hostPorts.ssh} ${secrets.hostKeyOf("gateway")}\n`;
  const nodes = plan.nodes.map(
    (node) => pulumi.interpolate`${node.name},${node.fqdn},${node.address} ${secrets.hostKeyOf(node.name)}\n`,
  );
  return pulumi.all([bastion, ...nodes]).apply((lines) => lines.join(""));
}
