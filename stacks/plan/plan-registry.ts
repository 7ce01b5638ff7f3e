import { systemNamespace } from "../../model/cluster-namespaces";
import { registryNodePort } from "../../model/ports";
import { registryName } from "../../model/releases";
import type { Configuration } from "../config/configuration";
import { cidr, formatAddress } from "../config/ipv4";
import type { DataCenterPlan } from "./data-center-plan";

/** Of the Service and of its Deployment. */
export const registryService = "registry";
export const registryClaim = "registry-data";

/** API servers give the first addresses of the range to Services that ask for one; CoreDNS has the tenth. */
const serviceOffset = 11;

/** Of the Service. */
export const registryAddress = ({ kubernetes }: Pick<DataCenterPlan, "kubernetes">): string =>
  formatAddress(cidr(kubernetes.serviceCidr).network + serviceOffset);

export const hasRegistry = ({ addOns }: Pick<DataCenterPlan, "addOns">): boolean => addOns.includes("registry");

/** What its certificate is for: nodes, pods, and this host. */
export function registryNames(plan: Pick<DataCenterPlan, "kubernetes">): readonly string[] {
  const inCluster = `${registryService}.${systemNamespace}.svc`;
  return [registryName, inCluster, `${inCluster}.cluster.local`, "localhost", registryAddress(plan), "127.0.0.1"];
}

/** Those of the configuration, and that of the registry. */
export const forwardedNodePorts = ({
  hostPorts: { nodePorts, registry },
}: Pick<Configuration, "hostPorts">): DataCenterPlan["hostPorts"]["nodePorts"] => [
  ...nodePorts,
  ...(registry === undefined ? [] : [{ port: registry, nodePort: registryNodePort }]),
];
