/** What the pods of add-ons have in common. */

/** A node that is away for longer is not waited for: another worker gets the pod. */
const awaySeconds = 10;

/** Of Deployments. Their one pod moves to another worker when its own does not respond. */
export const movesSoon = ["not-ready", "unreachable"].map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: awaySeconds,
}));

/** No registry has the image: until it is on the node, the kubelet looks for it again. */
export const broughtImage = (image: string) => ({ image, imagePullPolicy: "Never" });

export const unprivileged = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65_534,
};

/** Half of Go's usual garbage, because these programs keep little and live long. */
export const littleGarbage = { name: "GOGC", value: "50" };

export const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
