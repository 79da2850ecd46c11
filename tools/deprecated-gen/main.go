// SPDX-License-Identifier: Apache-2.0

// Command deprecated-gen makes the snapshot without contexts that KEP-1601 promised to callers, for
// any clientset of client-gen: a package tree beside the clientset, with the same names and with the
// signatures from before the KEP, which delegates to the clientset with context.TODO().
//
//	deprecated-gen -clientset example.com/x/clientset/versioned \
//		-output-pkg example.com/x/clientset/deprecated -output-dir clientset/deprecated
//
// # Signatures
//
// They are derived from the types of the clientset, not from its text. A context is dropped, and so
// are CreateOptions, UpdateOptions and PatchOptions; DeleteOptions become a pointer, which may be
// nil. Where a method has a sibling named …WithContext, the pair becomes the one without. What takes
// ApplyOptions is left out: apply came to clients after contexts did, no old code calls it, and new
// code has it one WithContext() away.
//
// # On the way to the new signatures
//
// The interfaces have exactly the old methods. Each clientset, group client and type's client has
// WithContext, which returns its counterpart with contexts, and each method of a concrete type is
// marked for inlining, so that `go fix -inline` writes
//
//	client.Flunders(ns).Get(name, opts)
//	client.Flunders(ns).WithContext().Get(context.TODO(), name, opts)
//
// the second for the first. When no old call is left, ".WithContext()" is deleted and the import
// becomes that of the clientset.
//
// Calls through an interface cannot be inlined, and old code makes nearly all its calls on what
// Flunders(ns) returns. That is why getters return the concrete type by default, while the interface
// is still there to be declared, passed and mocked. With -getters=interface they return the interface
// as they once did, for code which implements the getters itself; nothing is inlined there. Nor are
// method values, nor calls of which an argument reads memory or calls something (obj.Name, f()): the
// inliner does not move such an argument behind context.TODO(). Once the import is
// the clientset's, these calls do not compile any more, and ctxargs mends them.
//
// DeleteOptions arrive as ptr.Deref(opts, metav1.DeleteOptions{}), which a person, or gofmt -r, makes
// shorter where opts is nil or the address of a literal.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// config is what the command line says.
type config struct {
	clientset string // import path of the clientset with contexts
	outputPkg string // import path of the snapshot
	outputDir string // where the snapshot goes; it is emptied first
	header    string // path of a file which each generated file starts with; "" for none
	dir       string // a folder of the module that resolves the clientset; "" is the current one
	getters   string // "concrete" or "interface"
}

func main() {
	var c config
	flag.StringVar(&c.clientset, "clientset", "", "import path of the clientset that client-gen made")
	flag.StringVar(&c.outputPkg, "output-pkg", "", "import path of the snapshot")
	flag.StringVar(&c.outputDir, "output-dir", "", "folder of the snapshot; what is in it is removed")
	flag.StringVar(&c.header, "go-header-file", "", "file with which each generated file starts")
	flag.StringVar(&c.dir, "dir", "", "folder of the module in which the clientset is looked up (default: this one)")
	flag.StringVar(&c.getters, "getters", "concrete", "what getters return: concrete, so that calls can be inlined, or interface")
	flag.Parse()
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "deprecated-gen:", err)
		os.Exit(1)
	}
}

// run makes the snapshot. It writes nothing unless all of it could be made.
func run(c config) error {
	if c.clientset == "" || c.outputPkg == "" || c.outputDir == "" {
		return errors.New("-clientset, -output-pkg and -output-dir are required")
	}
	if c.getters != "concrete" && c.getters != "interface" {
		return fmt.Errorf("-getters=%s is neither concrete nor interface", c.getters)
	}
	set, err := load(c)
	if err != nil {
		return err
	}
	files, err := generate(c, set)
	if err != nil {
		return err
	}
	for _, name := range set.leftOut {
		fmt.Fprintln(os.Stderr, "deprecated-gen: left out:", name)
	}
	return write(c.outputDir, files)
}

// write replaces what is in dir by files, of which the keys are slash-separated paths.
func write(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
