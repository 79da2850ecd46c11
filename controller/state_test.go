// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/lanyard-k8s/lanyard/controller"
)

// TestC22NoPackageHasState reads the framework's own source: the only variables outside functions are
// errors and embedded files, which nobody changes.
func TestC22NoPackageHasState(t *testing.T) {
	for _, path := range goFiles(t, ".", "../internal") {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			variables, ok := declaration.(*ast.GenDecl)
			if !ok || variables.Tok != token.VAR {
				continue
			}
			for _, spec := range variables.Specs {
				if isEmbedded(spec.(*ast.ValueSpec).Type) {
					continue
				}
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.Name != "_" && !strings.HasPrefix(name.Name, "Err") && file.Name.Name != "cause" {
						t.Errorf("%s has the variable %s for the whole process", path, name.Name)
					}
				}
			}
		}
	}
}

// isEmbedded reports whether a type is embed.FS.
func isEmbedded(typ ast.Expr) bool {
	selected, ok := typ.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := selected.X.(*ast.Ident)
	return ok && from.Name == "embed" && selected.Sel.Name == "FS"
}

// goFiles returns the Go files below folders, without tests.
func goFiles(t *testing.T, folders ...string) []string {
	t.Helper()
	var files []string
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestC22ManagersInOneProcessDoNotSeeEachOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.add("a")
		var cancelled [2]atomic.Bool
		var running [2]*running
		for i := range running {
			m := newManager(controller.ManagerOptions{})
			controller.New(m, "the same name", w.informer(), func(ctx context.Context, _ *corev1.ConfigMap) (controller.Result, error) {
				<-ctx.Done()
				cancelled[i].Store(true)
				return controller.Result{}, ctx.Err()
			}, controller.Options{})
			running[i] = start(t, t.Context(), m)
		}
		synctest.Wait()
		if err := running[0].end(nil); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if !cancelled[0].Load() || cancelled[1].Load() {
			t.Errorf("the end of the first was seen by the first %v and by the second %v", cancelled[0].Load(), cancelled[1].Load())
		}
		if len(running[0].Report().Cancelled) != 1 || len(running[1].Report().Cancelled) != 0 {
			t.Error("their reports are mixed up")
		}
	})
}
