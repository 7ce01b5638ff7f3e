import * as pulumi from "@pulumi/pulumi";
import { primaryRole, type Role } from "../model/roles";
import type { StackOutputs } from "../model/stack-outputs";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import { renderKubeconfig } from "./kubeconfig";
import type { ResourceArgs } from "./resources";
import type { Secrets } from "./secrets";

/** The outputs of the stack, which the commands read. */
export type DataCenterOutputs = ResourceArgs<StackOutputs>;

/** @param rotated the end of a rotation of the cluster's authority: the former kubeconfig is right until then */
export function dataCenterOutputs(
  plan: DataCenterPlan,
  secrets: Secrets,
  rotated: readonly pulumi.CustomResource[],
): DataCenterOutputs {
  const apiEndpoint = `https://127.0.0.1:${plan.hostPorts.api}`;
  return {
    apiEndpoint,
    clusterEndpoint: `https://${plan.kubernetes.endpoint}`,
    kubeconfig: kubeconfigOf(plan, apiEndpoint, secrets, rotated),
    gatewaySsh: { host: "127.0.0.1", port: plan.hostPorts.ssh, ...hostKeysOf(plan, "gateway", secrets) },
    sshPrivateKey: secrets.get("ssh-user-key"),
    ...(plan.rotations["ssh-user-key"] !== undefined && { formerSshKeys: secrets.formerUserKeys() }),
    inventory: plan.nodes.map(({ name, roles, address, fqdn, interfaces }) => ({
      name,
      role: primaryRole(roles),
      roles,
      ...(hasServices(plan, roles) && { controlPlane: "services" as const }),
      address,
      fqdn,
      macs: interfaces.map((nic) => nic.mac),
      ...hostKeysOf(plan, name, secrets),
    })),
    knownHosts: knownHostsOf(plan, secrets),
  };
}

const hasServices = ({ kubernetes }: DataCenterPlan, roles: readonly Role[]): boolean =>
  kubernetes.controlPlane === "services" && (roles.includes("master") || roles.includes("etcd"));

const hostKeysOf = ({ rotations }: DataCenterPlan, node: string, secrets: Secrets) => ({
  hostKey: secrets.hostKeyOf(node),
  ...(rotations["ssh-host-keys"] !== undefined && { formerHostKeys: secrets.formerHostKeysOf(node) }),
});

function kubeconfigOf(
  plan: DataCenterPlan,
  server: string,
  secrets: Secrets,
  after: readonly pulumi.CustomResource[],
): pulumi.Output<string> {
  const ended = pulumi.all(after.map(({ id }) => id));
  return pulumi
    .all([secrets.get("kubernetes-ca-bundle.crt"), secrets.get("admin.crt"), secrets.get("admin.key"), ended])
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
