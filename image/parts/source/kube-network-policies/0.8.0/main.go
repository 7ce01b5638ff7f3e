// Enforces NetworkPolicies on this node with the controller of kube-network-policies. Unlike upstream's program it ends
// when the rules cannot be written, so that a node that cannot enforce policies is seen, and answers a probe.
package main

import (
	"context"
	"flag"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

func main() {
	klog.InitFlags(nil)
	node := flag.String("node", "", "name of this Node")
	queue := flag.Int("queue", 98, "number of the queue between kernel and process")
	health := flag.String("health", "127.0.0.1:9880", "address that answers while policies are enforced")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := enforce(ctx, *node, *queue, *health); err != nil {
		klog.ErrorS(err, "NetworkPolicies are not enforced on this node")
		klog.Flush()
		os.Exit(1)
	}
}

func enforce(ctx context.Context, node string, queue int, health string) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	controller, err := networkpolicy.NewController(
		client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		networkpolicy.Config{NodeName: node, QueueID: queue},
	)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", health)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	go answer(listener)
	return controller.Run(ctx)
}

// answer tells the kubelet whether the rules are in place.
func answer(listener net.Listener) {
	handler := func(response http.ResponseWriter, _ *http.Request) {
		if !networkpolicy.Enforced() {
			http.Error(response, "the rules are not in place yet", http.StatusServiceUnavailable)
		}
	}
	klog.ErrorS(http.Serve(listener, http.HandlerFunc(handler)), "the probe is not answered")
}
