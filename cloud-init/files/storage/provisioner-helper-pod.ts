import { busyboxImage } from "../../../model/releases";

/** Creates and removes the folders on nodes with the mounted volume, which the label marks. */
export const helperPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "helper-pod" },
  spec: {
    nodeSelector: { "groundplane.internal/volume": "mounted" },
    priorityClassName: "system-node-critical",
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "helper-pod", image: busyboxImage, imagePullPolicy: "IfNotPresent" }],
  },
};
