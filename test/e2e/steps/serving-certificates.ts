import assert from "node:assert/strict";
import { eventually, mustSucceed, patienceMs } from "../../support/cluster-under-test";
import { masters, type Step } from "../lab-under-test";

const serial = "openssl x509 -noout -serial -in /var/lib/kubelet/pki/kubelet-server-current.pem";

export const servingCertificateIsRotated: Step = async ({ cluster }) => {
  const before = mustSucceed("serial", await cluster.onNode("worker-1", serial)).stdout;
  const rotate = "rm /var/lib/kubelet/pki/kubelet-server-* && systemctl restart kubelet";
  mustSucceed("rotate", await cluster.onNode("worker-1", rotate));
  const ask = () => cluster.onNode("worker-1", serial);
  await eventually("a new certificate", patienceMs, ask, ({ exitCode, stdout }) => exitCode === 0 && stdout !== before);
  // The API server accepts it: logs are fetched from the kubelet over it.
  const logs = () => cluster.kubectl("master-1", "logs", "deployment/web");
  await eventually("logs over it", patienceMs, logs, ({ exitCode }) => exitCode === 0);
};

/** A node asks in its own name for the address of the API. */
const wrongRequest = `set -e
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null \\
  -subj /O=system:nodes/CN=system:node:worker-1 -addext subjectAltName=DNS:worker-1,IP:192.168.56.10 >/tmp/wrong.pem 2>/dev/null
kubectl --kubeconfig /etc/kubernetes/kubelet.conf create -f - <<REQUEST
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: wrong}
spec:
  request: $(base64 -w0 /tmp/wrong.pem)
  signerName: kubernetes.io/kubelet-serving
  usages: [digital signature, server auth]
REQUEST
`;

export const wrongServingRequestIsDenied: Step = async ({ cluster }) => {
  const script = Buffer.from(wrongRequest).toString("base64");
  mustSucceed("request", await cluster.onNode("worker-1", `echo ${script} | base64 -d | bash`));
  const conditions = [
    "get",
    "csr",
    "wrong",
    "-o",
    "jsonpath={.status.conditions[*].type}/{.status.conditions[*].message}",
  ];
  const ask = () => cluster.kubectl("master-1", ...conditions);
  const { stdout } = await eventually("a decision", patienceMs, ask, (answer) => answer.stdout !== "/");
  assert.match(stdout, /^Denied\/it names something else than worker-1 and 192\.168\.58\./);
};

/** The approver's own identity may decide on these requests, and do nothing else that matters. */
export const approverMayOnlyApprove: Step = async ({ cluster }) => {
  const as = "--as=groundplane:serving-certificate-approver";
  const may = async (...words: string[]) =>
    (await cluster.kubectl("master-1", "auth", "can-i", as, ...words)).stdout.trim();
  assert.equal(await may("patch", "certificatesigningrequests.certificates.k8s.io", "--subresource=approval"), "yes");
  for (const what of [
    ["get", "secrets"],
    ["create", "pods"],
    ["create", "certificatesigningrequests"],
    ["list", "nodes"],
  ])
    assert.equal(await may(...what, "--all-namespaces"), "no", what.join(" "));
  const unit = "groundplane-approve-serving-certificates.service";
  const users = `ps -o user= -p $(systemctl show -P MainPID ${unit})`;
  for (const master of masters) assert.notEqual((await cluster.onNode(master, users)).stdout.trim(), "root", master);
};

export const approverSurvivesRestartsOfTheApi: Step = async (lab, t) => {
  // A node's kubelet and its other clients watch it, and must not keep it. On a busy host it needs more than 20 seconds without them.
  const end =
    "former=$(pgrep --oldest -f '^kube-apiserver ') && kill $former && timeout 45 tail --pid=$former -f /dev/null";
  await Promise.all(masters.map(async (master) => mustSucceed(master, await lab.cluster.onNode(master, end))));
  const ready = () => lab.cluster.kubectl("master-1", "get", "--raw", "/readyz");
  await eventually("the API is back", patienceMs, ready, ({ stdout }) => stdout.trim() === "ok");
  await servingCertificateIsRotated(lab, t);
};
