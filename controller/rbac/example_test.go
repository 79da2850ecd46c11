// SPDX-License-Identifier: Apache-2.0

package rbac_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/rbac"
)

// exampleServer stands for an API server.
type exampleServer struct{}

func (exampleServer) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusCreated, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(`{"kind":"ConfigMap","apiVersion":"v1"}`)),
	}, nil
}

// A program is recorded, its roles are written, and the roles are compared with what it used.
func Example() {
	config := &rest.Config{Host: "https://server.invalid", Transport: exampleServer{}}

	recorder := rbac.NewRecorder()
	m := controller.NewManager(recorder.Config(config), controller.ManagerOptions{})
	client := kubernetes.NewForConfigOrDie(m.Config()).CoreV1().ConfigMaps("shop")
	// Here the program would run; this is all that it does.
	_, err := client.Create(context.Background(), &corev1.ConfigMap{}, metav1.CreateOptions{})
	if err != nil {
		fmt.Println(err)
	}
	_, err = client.Get(context.Background(), "settings", metav1.GetOptions{})
	if err != nil {
		fmt.Println(err)
	}

	used := recorder.Used()
	roles := used.Roles(rbac.RoleOptions{
		Name: "shop", ServiceAccount: types.NamespacedName{Namespace: "shop", Name: "controller"},
	})
	content, err := roles.YAML()
	if err != nil {
		fmt.Println(err)
	}
	_, _ = os.Stdout.Write(content)

	manifests := &rbac.Manifests{}
	roles.Roles[0].Rules[0].Verbs = []string{"delete"} // instead of create
	if err := manifests.Add("role.yaml", roles.Objects()...); err != nil {
		fmt.Println(err)
	}
	granted, err := manifests.Granted(types.NamespacedName{})
	if err != nil {
		fmt.Println(err)
	}
	differences, err := rbac.Compare(used, granted)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(differences)
	// Output:
	// apiVersion: rbac.authorization.k8s.io/v1
	// kind: Role
	// metadata:
	//   name: shop
	//   namespace: shop
	// rules:
	// - apiGroups:
	//   - ""
	//   resources:
	//   - configmaps
	//   verbs:
	//   - create
	// - apiGroups:
	//   - ""
	//   resourceNames:
	//   - settings
	//   resources:
	//   - configmaps
	//   verbs:
	//   - get
	// ---
	// apiVersion: rbac.authorization.k8s.io/v1
	// kind: RoleBinding
	// metadata:
	//   name: shop
	//   namespace: shop
	// roleRef:
	//   apiGroup: rbac.authorization.k8s.io
	//   kind: Role
	//   name: shop
	// subjects:
	// - kind: ServiceAccount
	//   name: controller
	//   namespace: shop
	// used but not granted:
	//   create configmaps in shop: rule 1 of the Role shop/shop in role.yaml grants delete on it
	// granted but never used:
	//   rule 1 of the Role shop/shop in role.yaml: delete configmaps
}
