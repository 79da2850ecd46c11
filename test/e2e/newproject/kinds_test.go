// SPDX-License-Identifier: Apache-2.0

package newproject_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

var update = flag.Bool("update", false, "write the command-line tool's list of kinds anew")

// TestTheToolKnowsTheKindsOfClientGo is here, and not in the tool's module, so that the tool is built without client-go.
func TestTheToolKnowsTheKindsOfClientGo(t *testing.T) {
	const list = "../../../cmd/lanyard/internal/builtin/kinds.txt"
	content, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var head, lines []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, "#") {
			head = append(head, line)
		} else {
			lines = append(lines, line)
		}
	}
	kinds := clientGosKinds()
	if *update {
		text := strings.Join(append(head, kinds...), "\n") + "\n"
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if difference := cmp.Diff(kinds, lines); difference != "" {
		t.Errorf("%s is not what client-go has: run the test with -update:\n%s", list, difference)
	}
}

// clientGosKinds returns the kinds that client-go has a client and an informer for.
func clientGosKinds() []string {
	var lines []string
	for group := range reflect.TypeFor[kubernetes.Interface]().Methods() {
		if group.Type.NumIn() != 0 || group.Type.NumOut() != 1 || group.Type.Out(0).Kind() != reflect.Interface {
			continue
		}
		for method := range group.Type.Out(0).Methods() {
			if line, ok := kindOf(method); ok {
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// kindOf reads a method such as Pods(namespace string) PodInterface.
func kindOf(method reflect.Method) (string, bool) {
	if method.Type.NumOut() != 1 || method.Type.NumIn() > 1 || method.Type.Out(0).Kind() != reflect.Interface {
		return "", false
	}
	get, ok := method.Type.Out(0).MethodByName("Get")
	if !ok || get.Type.NumOut() != 2 || get.Type.Out(0).Kind() != reflect.Pointer {
		return "", false
	}
	goType := get.Type.Out(0).Elem()
	object, ok := reflect.New(goType).Interface().(runtime.Object)
	if !ok {
		return "", false
	}
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		return "", false
	}
	resource := kinds[0].GroupVersion().WithResource(strings.ToLower(method.Name))
	if _, err := informers.NewSharedInformerFactory(nil, 0).ForResource(resource); err != nil {
		return "", false
	}
	scope := "Cluster"
	if method.Type.NumIn() == 1 {
		scope = "Namespaced"
	}
	return fmt.Sprintf("%s/%s/%s %s %s %s", kinds[0].Group, kinds[0].Version, kinds[0].Kind, resource.Resource, scope,
		goType.PkgPath()), true
}
