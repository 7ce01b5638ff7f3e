import { busyboxImage } from "../../../model/releases";

/** Makes and removes the folders, where the volume is mounted: that is what the label says. */
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
