import type { ClusterObject } from "../../../model/cluster-object";
import { role, roleBinding } from "./access-rules";

/** The identity of the masters' approver, in client certificates that each master makes for itself. */
export const approverUser = "groundplane:serving-certificate-approver";

const group = "certificates.k8s.io";
const requests = "certificatesigningrequests";

/** All that the approver may do: decide on requests for serving certificates of kubelets. */
export const approverObjects: readonly ClusterObject[] = [
  role({ name: approverUser }, [
    { apiGroups: [group], resources: [requests], verbs: ["list", "watch"] },
    { apiGroups: [group], resources: [`${requests}/approval`], verbs: ["patch"] },
    {
      apiGroups: [group],
      resources: ["signers"],
      resourceNames: ["kubernetes.io/kubelet-serving"],
      verbs: ["approve"],
    },
  ]),
  roleBinding({ name: approverUser }, approverUser, [{ kind: "User", name: approverUser }]),
];
