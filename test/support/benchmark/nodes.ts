import type { Control } from "./control";

/** Section 4 of the benchmark: what every node of the cluster runs. */

type Row = Omit<Control, "of" | "on" | "scored">;

const unit = "/etc/systemd/system/kubelet.service";
const credentials = "/etc/kubernetes/kubelet.conf";
const configuration = "/var/lib/kubelet/config.yaml";
const authority = "/etc/kubernetes/pki/ca.crt";
const nothing = /^$/;

const file = (ids: readonly [string, string], title: string, path: string, mode = "600"): readonly Row[] => [
  { id: ids[0], title: `${title}: mode ${mode} at most`, command: `beyond ${mode} ${path}`, expected: nothing },
  { id: ids[1], title: `${title}: owner root`, command: `foreign ${path}`, expected: nothing },
];

const files: readonly Row[] = [
  ...file(["4.1.1", "4.1.2"], "kubelet's unit", unit),
  ...file(["4.1.5", "4.1.6"], "kubelet's credentials", credentials),
  ...file(["4.1.9", "4.1.10"], "kubelet's configuration", configuration),
  {
    id: "4.3.1",
    title: "kube-proxy's metrics are on loopback only",
    command: "ss -Hltn 'sport = 10249' | awk '{ print $4 }'",
    expected: /^127\.0\.0\.1:10249$/,
  },
];

const fileRecommendations: readonly Row[] = [
  {
    id: "4.1.3",
    title: "kube-proxy has no credentials in a file of the node",
    command: "find /etc/kubernetes /var/lib/kubelet -maxdepth 1 -name '*proxy*'",
    expected: nothing,
  },
  ...file(["4.1.7", "4.1.8"], "the certificate authority", authority, "644"),
  {
    id: "4.2.7",
    title: "kubelet has the machine's name",
    command: "flag kubelet hostname-override",
    expected: nothing,
  },
];

/** A value that the kubelet has loaded: its file, the files merged over it, and the defaults. */
const kubelet = (id: string, title: string, key: string, expected: RegExp): Row => ({
  id,
  title: `kubelet: ${title}`,
  command: `kubelet '${key}'`,
  expected,
});

const settings: readonly Row[] = [
  kubelet("4.2.1", "no anonymous requests", ".authentication.anonymous.enabled", /^false$/),
  kubelet("4.2.2", "the API server authorizes requests", ".authorization.mode", /^"Webhook"$/),
  kubelet("4.2.3", "clients need a certificate of the cluster", ".authentication.x509.clientCAFile", /^"\/.+"$/),
  kubelet("4.2.6", "its own chains of rules", ".makeIPTablesUtilChains", /^true$/),
  kubelet("4.2.10", "client certificates rotate", ".rotateCertificates", /^true$/),
];

const recommendations: readonly Row[] = [
  kubelet("4.2.4", "no port without authentication", ".readOnlyPort // 0", /^0$/),
  kubelet("4.2.5", "idle streams end", ".streamingConnectionIdleTimeout", /^"(?!0s)/),
  kubelet("4.2.8", "events have a limit", ".eventRecordQPS", /^[1-9]\d*$/),
  kubelet("4.2.9", "the cluster signs its serving certificate", ".serverTLSBootstrap", /^true$/),
  kubelet("4.2.11", "serving certificates rotate", ".featureGates.RotateKubeletServerCertificate != false", /^true$/),
  kubelet("4.2.12", "authenticated encryption only", '.tlsCipherSuites | map(test("GCM|POLY1305")) | all', /^true$/),
  kubelet("4.2.13", "pods have a limit of processes", ".podPidsLimit", /^[1-9]\d*$/),
  kubelet("4.2.14", "pods get the runtime's seccomp profile", ".seccompDefault", /^true$/),
];

const onNodes =
  (on: Control["on"], scored: boolean) =>
  (row: Row): Control => ({ ...row, of: "nodes", on, scored });

export const nodeControls: readonly Control[] = [
  ...files.map(onNodes("itself", true)),
  ...fileRecommendations.map(onNodes("itself", false)),
  ...settings.map(onNodes("master", true)),
  ...recommendations.map(onNodes("master", false)),
];
