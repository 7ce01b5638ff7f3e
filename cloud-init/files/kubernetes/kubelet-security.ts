import { guestPaths } from "../../../model/guest-paths";
import { emitYaml } from "../../emit-yaml";
import { type TextFile, unitFile } from "../../role-content";
import { cipherSuites, oldestTls } from "./cluster-configuration";

/** Threads and processes of one pod. A machine's kernel has 32768 in all. */
const podPidsLimit = 4096;

/** The kubelet and the image write these two files readable for every user. */
const privateFiles = `[Service]
ExecStartPre=-/usr/bin/chmod 0600 /var/lib/kubelet/config.yaml /etc/systemd/system/kubelet.service
`;

/** Beside kubelet-settings.ts, which makes the kubelet read the folder. Containers keep running while the kubelet restarts. */
export const kubeletSecurity: readonly TextFile[] = [
  {
    path: `${guestPaths.kubeletSettings}/20-security.conf`,
    mode: "0600",
    content: emitYaml({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      podPidsLimit,
      // Pods that ask for no profile get the runtime's instead of none.
      seccompDefault: true,
      tlsCipherSuites: cipherSuites,
      tlsMinVersion: oldestTls,
    }),
    changes: { reload: "systemctl try-restart kubelet" },
  },
  {
    ...unitFile("kubelet.service", "20-private-files", privateFiles),
    changes: { reload: "systemctl daemon-reload && systemctl try-restart kubelet" },
  },
];
