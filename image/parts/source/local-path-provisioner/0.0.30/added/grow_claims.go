package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/Sirupsen/logrus"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// growClaims records the size that a claim has been given after its creation, in its volume and in its status. A volume
// is a folder of a shared file system and has no limit of its own, so nothing else changes. What fails is tried again
// every minute.
func growClaims(ctx context.Context, client clientset.Interface, provisioner string) {
	grow := func(object interface{}) {
		if claim, ok := object.(*v1.PersistentVolumeClaim); ok && wantsGrowth(claim) {
			if err := growClaim(ctx, client, provisioner, claim); err != nil {
				logrus.Errorf("%s/%s cannot grow: %v", claim.Namespace, claim.Name, err)
			}
		}
	}
	claims := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "persistentvolumeclaims", metav1.NamespaceAll, fields.Everything())
	_, informer := cache.NewInformer(claims, &v1.PersistentVolumeClaim{}, time.Minute, cache.ResourceEventHandlerFuncs{
		AddFunc:    grow,
		UpdateFunc: func(_, claim interface{}) { grow(claim) },
	})
	informer.Run(ctx.Done())
}

func wantsGrowth(claim *v1.PersistentVolumeClaim) bool {
	wanted, has := claim.Spec.Resources.Requests[v1.ResourceStorage], claim.Status.Capacity[v1.ResourceStorage]
	return claim.Status.Phase == v1.ClaimBound && wanted.Cmp(has) > 0
}

func growClaim(ctx context.Context, client clientset.Interface, provisioner string, claim *v1.PersistentVolumeClaim) error {
	volume, err := client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	bound := volume.Spec.ClaimRef
	if volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisioner || bound == nil || bound.UID != claim.UID {
		return nil
	}
	wanted := claim.Spec.Resources.Requests[v1.ResourceStorage]
	capacity := map[string]interface{}{"capacity": v1.ResourceList{v1.ResourceStorage: wanted}}
	if has := volume.Spec.Capacity[v1.ResourceStorage]; wanted.Cmp(has) > 0 {
		patch, err := json.Marshal(map[string]interface{}{"spec": capacity})
		if err != nil {
			return err
		}
		_, err = client.CoreV1().PersistentVolumes().Patch(ctx, volume.Name, types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil {
			return fmt.Errorf("volume %s: %w", volume.Name, err)
		}
	}
	patch, err := json.Marshal(map[string]interface{}{"status": capacity})
	if err != nil {
		return err
	}
	_, err = client.CoreV1().PersistentVolumeClaims(claim.Namespace).
		Patch(ctx, claim.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err == nil {
		logrus.Infof("%s/%s has grown to %s", claim.Namespace, claim.Name, wanted.String())
	}
	return err
}
