// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/internal/bubbletest"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

var growth = flag.Int("growth", 100, "how many objects come and go in the test of what grows")

// sizes returns the lengths of all maps, slices and channels that can be reached from a value, by the path of types and
// fields on which they are. Those on one path are added up. What is reached twice counts once.
func sizes(root any) map[string]int {
	w := &walk{seen: map[visited]bool{}, sizes: map[string]int{}}
	w.value(reflect.ValueOf(root), "")
	return w.sizes
}

type visited struct {
	at uintptr
	of reflect.Type
}

type walk struct {
	seen  map[visited]bool
	sizes map[string]int
}

func (w *walk) value(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Chan:
		if v.IsNil() {
			return
		}
		key := visited{v.Pointer(), v.Type()}
		if v.Kind() != reflect.Slice || v.Len() > 0 {
			if w.seen[key] {
				return
			}
			w.seen[key] = true
		}
	case reflect.Interface:
		if !v.IsNil() {
			w.value(v.Elem(), path)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if strings.HasSuffix(v.Type().Elem().PkgPath(), "/virtualtest") {
			return // the API, which keeps all that ever was
		}
		w.value(v.Elem(), path+"*"+v.Type().Elem().Name())
	case reflect.Struct:
		for i := range v.NumField() {
			w.value(v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Map:
		w.sizes[path] += v.Len()
		for each := v.MapRange(); each.Next(); {
			w.value(each.Value(), path+"[]")
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			w.sizes[path] += v.Len()
		}
		if k := v.Type().Elem().Kind(); k == reflect.Pointer || k == reflect.Struct || k == reflect.Interface || k == reflect.Map {
			for i := range v.Len() {
				w.value(v.Index(i), path+"[]")
			}
		}
	case reflect.Chan:
		w.sizes[path] += v.Len()
	}
}

// TestNothingGrowsWithTheObjectsThatCameAndWent looks at goroutines, and at each map, slice and channel of a manager,
// after many objects, and after as many again. Some are bounded, and full after the first.
func TestNothingGrowsWithTheObjectsThatCameAndWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := virtualtest.NewAPI(t)
		reconciles := 0
		r := virtualtest.Start(t, api, func(m *controller.Manager) error {
			client := kubernetes.NewForConfigOrDie(m.Config())
			factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
			c := controller.New(m, "c", factory.Core().V1().ConfigMaps().TypedInformer(), func(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
				reconciles++
				if cm.Annotations["seen"] != "" {
					return controller.Result{RequeueAfter: time.Hour}, nil
				}
				metav1.SetMetaDataAnnotation(&cm.ObjectMeta, "seen", "yes")
				if _, err := client.CoreV1().ConfigMaps(cm.Namespace).Update(ctx, cm, metav1.UpdateOptions{}); err != nil {
					return controller.Result{}, err
				}
				_, err := client.CoreV1().Secrets(cm.Namespace).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
					Name: cm.Name, OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cm, corev1.SchemeGroupVersion.WithKind("ConfigMap"))},
				}}, metav1.CreateOptions{})
				return controller.Result{}, err
			}, controller.Options{})
			controller.Owns(c, factory.Core().V1().Secrets().TypedInformer())
			return nil
		})
		number := 0
		come := func(n int) {
			const batch = 100
			for done := 0; done < n; done += batch {
				var all []virtualtest.Object
				for range batch {
					number++
					all = append(all, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: fmt.Sprint("cm", number)}})
				}
				api.Create(all...)
				time.Sleep(10 * time.Second)
				for _, o := range all {
					api.Delete(o)
				}
				api.CollectGarbage()
				time.Sleep(10 * time.Second)
				api.Compact()
				api.ForgetCalls()
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
		}
		come(*growth)
		before, goroutines := sizes(r.Manager), bubbletest.Goroutines()
		come(*growth)
		after := sizes(r.Manager)
		if now := bubbletest.Goroutines(); now > goroutines {
			t.Errorf("there are %d goroutines, and there were %d", now, goroutines)
		}
		for _, path := range slices.Sorted(maps.Keys(after)) {
			if bounded := strings.Contains(path, "*Finder.") || strings.Contains(path, "*Book."); bounded && after[path] <= 4096 {
				continue // what is remembered of objects, for loops and stories
			}
			if after[path] > before[path]+10 {
				t.Errorf("%s has %d elements, and had %d", path, after[path], before[path])
			}
		}
		t.Logf("%d objects, %d reconciles, %d paths to maps, slices and channels", number, reconciles, len(after))
		if reconciles < 2*number || len(after) < 50 {
			t.Error("the test looks at nothing")
		}
	})
}
