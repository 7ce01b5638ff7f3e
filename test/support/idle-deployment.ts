/** A Deployment `idle`, as JSON: pods that do nothing and end at once. */
export const idleDeployment = (replicas: number): string =>
  JSON.stringify({
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "idle" } },
    spec: {
      replicas,
      selector: { matchLabels: { app: "idle" } },
      template: {
        metadata: { labels: { app: "idle" } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              ...{ name: "idle", image: "groundplane.internal/busybox:1", imagePullPolicy: "Never" },
              command: ["sleep", "1000000"],
            },
          ],
        },
      },
    },
  });
