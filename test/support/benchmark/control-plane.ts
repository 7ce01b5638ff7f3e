import type { Control } from "./control";

/** Sections 1 to 3 and 5 of the benchmark: what a master runs. */

type Row = Omit<Control, "of" | "on" | "scored">;

const manifests = "/etc/kubernetes/manifests";
const kubernetes = "/etc/kubernetes";
const pki = `${kubernetes}/pki`;
const nothing = /^$/;
const set = /./;
const isPath = /^\/\S+$/;
const ciphers =
  /^(?:TLS_ECDHE_(?:ECDSA|RSA)_WITH_(?:AES_128_GCM_SHA256|AES_256_GCM_SHA384|CHACHA20_POLY1305_SHA256),?)+$/;

/** Two controls each: the mode and the owner of a file. */
const file = (ids: readonly [string, string], title: string, path: string): readonly Row[] => [
  { id: ids[0], title: `${title}: mode 600 at most`, command: `beyond 600 ${path}`, expected: nothing },
  { id: ids[1], title: `${title}: owner root`, command: `foreign ${path}`, expected: nothing },
];

const flag = (id: string, program: string, name: string, expected: RegExp, exception?: string): Row => ({
  id,
  title: `${program} --${name}`,
  command: `flag ${program} ${name}`,
  expected,
  ...(exception && { exception }),
});

const superAdmin = `$(find ${kubernetes}/super-admin.conf 2>/dev/null || true)`;

const files: readonly Row[] = [
  ...file(["1.1.1", "1.1.2"], "API server's manifest", `${manifests}/kube-apiserver.yaml`),
  ...file(["1.1.3", "1.1.4"], "controller manager's manifest", `${manifests}/kube-controller-manager.yaml`),
  ...file(["1.1.5", "1.1.6"], "scheduler's manifest", `${manifests}/kube-scheduler.yaml`),
  ...file(["1.1.7", "1.1.8"], "etcd's manifest", `${manifests}/etcd.yaml`),
  { id: "1.1.11", title: "etcd's data: mode 700 at most", command: "beyond 700 /var/lib/etcd", expected: nothing },
  {
    id: "1.1.12",
    title: "etcd's data: owner etcd",
    command: "stat -c %U:%G /var/lib/etcd",
    expected: /^etcd:etcd$/,
    exception: "etcd is kubeadm's static pod and runs as root, which owns its data; no user etcd exists",
  },
  ...file(["1.1.13", "1.1.14"], "administrator's credentials", `${kubernetes}/admin.conf ${superAdmin}`),
  ...file(["1.1.15", "1.1.16"], "scheduler's credentials", `${kubernetes}/scheduler.conf`),
  ...file(["1.1.17", "1.1.18"], "controller manager's credentials", `${kubernetes}/controller-manager.conf`),
  { id: "1.1.19", title: "keys and certificates: owner root", command: `foreign ${pki}`, expected: nothing },
];

const fileRecommendations: readonly Row[] = [
  {
    id: "1.1.9",
    title: "network plugin's settings: mode 600 at most",
    command: "beyond 600 /etc/cni/net.d/*.conflist",
    expected: nothing,
    exception: "containerd writes the file when the node knows its range of pod addresses; it holds no secret",
  },
  {
    id: "1.1.10",
    title: "network plugin's settings: owner root",
    command: "foreign /etc/cni/net.d/*.conflist",
    expected: nothing,
  },
  {
    id: "1.1.20",
    title: "certificates: mode 644 at most",
    command: `beyond 644 $(find ${pki} -name '*.crt')`,
    expected: nothing,
  },
  { id: "1.1.21", title: "keys: mode 600", command: `beyond 600 $(find ${pki} -name '*.key')`, expected: nothing },
];

const api = "kube-apiserver";
const apiServer: readonly Row[] = [
  flag("1.2.2", api, "token-auth-file", nothing),
  {
    id: "1.2.4",
    title: `${api} shows kubelets a certificate`,
    command: `flag ${api} kubelet-client-certificate | grep . && flag ${api} kubelet-client-key | grep .`,
    expected: /^\S+\.crt\n\S+\.key$/,
  },
  flag("1.2.5", api, "kubelet-certificate-authority", isPath),
  flag("1.2.6", api, "authorization-mode", /^(?!.*AlwaysAllow)./),
  flag("1.2.7", api, "authorization-mode", /\bNode\b/),
  flag("1.2.8", api, "authorization-mode", /\bRBAC\b/),
  flag("1.2.10", api, "enable-admission-plugins", /^(?!.*AlwaysAdmit)/),
  flag("1.2.12", api, "disable-admission-plugins", /^(?!.*ServiceAccount)/),
  flag("1.2.13", api, "disable-admission-plugins", /^(?!.*NamespaceLifecycle)/),
  flag("1.2.14", api, "enable-admission-plugins", /\bNodeRestriction\b/),
  flag("1.2.15", api, "profiling", /^false$/),
  flag("1.2.16", api, "audit-log-path", isPath),
  flag("1.2.17", api, "audit-log-maxage", /^(?:[3-9]\d|\d{3,})$/),
  flag("1.2.18", api, "audit-log-maxbackup", /^\d{2,}$/),
  flag("1.2.19", api, "audit-log-maxsize", /^\d{3,}$/),
  flag("1.2.21", api, "service-account-lookup", /^(?:true)?$/),
  flag("1.2.22", api, "service-account-key-file", isPath),
  {
    id: "1.2.23",
    title: `${api} shows etcd a certificate`,
    command: `flag ${api} etcd-certfile | grep . && flag ${api} etcd-keyfile | grep .`,
    expected: /^\S+\.crt\n\S+\.key$/,
  },
  {
    id: "1.2.24",
    title: `${api} has a serving certificate`,
    command: `flag ${api} tls-cert-file | grep . && flag ${api} tls-private-key-file | grep .`,
    expected: /^\S+\.crt\n\S+\.key$/,
  },
  flag("1.2.25", api, "client-ca-file", isPath),
  flag("1.2.26", api, "etcd-cafile", isPath),
  flag("1.2.30", api, "service-account-extend-token-expiration", /^false$/),
];

const apiServerRecommendations: readonly Row[] = [
  flag(
    "1.2.1",
    api,
    "anonymous-auth",
    /^false$/,
    "joining nodes and health checks have no identity: a file allows anonymous requests to four paths, and no others",
  ),
  flag("1.2.3", api, "enable-admission-plugins", /\bDenyServiceExternalIPs\b/),
  flag("1.2.9", api, "enable-admission-plugins", /\bEventRateLimit\b/),
  flag(
    "1.2.11",
    api,
    "enable-admission-plugins",
    /\bAlwaysPullImages\b/,
    "nodes run images that no registry has, and start without a network",
  ),
  flag("1.2.20", api, "request-timeout", /^(?!0)/),
  flag("1.2.27", api, "encryption-provider-config", isPath),
  {
    id: "1.2.28",
    title: "Secrets are encrypted by the first provider",
    command: `grep -A1 providers: "$(flag ${api} encryption-provider-config)"`,
    expected: /secretbox/,
  },
  flag("1.2.29", api, "tls-cipher-suites", ciphers),
];

const manager = "kube-controller-manager";
const controllers: readonly Row[] = [
  flag("1.3.2", manager, "profiling", /^false$/),
  flag("1.3.3", manager, "use-service-account-credentials", /^true$/),
  flag("1.3.4", manager, "service-account-private-key-file", isPath),
  flag("1.3.5", manager, "root-ca-file", isPath),
  flag("1.3.6", manager, "feature-gates", /^(?!.*RotateKubeletServerCertificate=false)/),
  flag("1.3.7", manager, "bind-address", /^127\.0\.0\.1$/),
  flag("1.4.1", "kube-scheduler", "profiling", /^false$/),
  flag("1.4.2", "kube-scheduler", "bind-address", /^127\.0\.0\.1$/),
];

const etcd: readonly Row[] = [
  {
    id: "2.1",
    title: "etcd has a serving certificate",
    command: "flag etcd cert-file | grep . && flag etcd key-file | grep .",
    expected: set,
  },
  flag("2.2", "etcd", "client-cert-auth", /^true$/),
  flag("2.3", "etcd", "auto-tls", /^(?:false)?$/),
  {
    id: "2.4",
    title: "etcd's members have certificates for each other",
    command: "flag etcd peer-cert-file | grep . && flag etcd peer-key-file | grep .",
    expected: set,
  },
  flag("2.5", "etcd", "peer-client-cert-auth", /^true$/),
  flag("2.6", "etcd", "peer-auto-tls", /^(?:false)?$/),
];

const recommendations: readonly Row[] = [
  ...fileRecommendations,
  ...apiServerRecommendations,
  flag("1.3.1", manager, "terminated-pod-gc-threshold", /^[1-9]\d*$/),
  {
    id: "2.7",
    title: "etcd has a certificate authority of its own",
    command: `cmp -s ${pki}/ca.crt "$(flag etcd trusted-ca-file)" || echo another`,
    expected: /^another$/,
  },
  flag("3.2.1", api, "audit-policy-file", isPath),
  {
    id: "3.2.2",
    title: "the audit log has requests for Secrets, without bodies",
    command: `grep -c secrets "$(flag ${api} audit-policy-file)" && ! grep -E 'level: "?Request' "$(flag ${api} audit-policy-file)"`,
    expected: /^[1-9]/,
  },
  {
    id: "5.2.2",
    title: "privileged pods are refused",
    command: `refused '' ',"securityContext":{"privileged":true}'`,
    expected: /violates PodSecurity/,
  },
  ...["hostPID", "hostIPC", "hostNetwork"].map((field, index) => ({
    id: `5.2.${3 + index}`,
    title: `pods with ${field} are refused`,
    command: `refused '"${field}":true,' ''`,
    expected: /violates PodSecurity/,
  })),
];

const onMasters =
  (scored: boolean) =>
  (row: Row): Control => ({ ...row, of: "masters", on: "itself", scored });

export const controlPlaneControls: readonly Control[] = [
  ...[...files, ...apiServer, ...controllers, ...etcd].map(onMasters(true)),
  ...recommendations.map(onMasters(false)),
];
