// SPDX-License-Identifier: Apache-2.0

package modules

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

const (
	root = "../../.."
	path = "github.com/lanyard-k8s/lanyard"
)

// imports are the packages that users take from each module.
var imports = map[string][]string{
	".":                 {"controller", "controller/events", "controller/program", "controller/serve", "controller/tracing", "controller/virtualtest"},
	"cmd/lanyard":       {"cmd/lanyard"},
	"telemetry":         {"telemetry"},
	"test":              {"test/crds", "test/shutdowntest"},
	"test/controlplane": {"test/controlplane"},
	"tools":             {"tools/cmd/ctxvet", "tools/cmd/ctxfix"},
}

// without are what a module must not bring, as parts of modules' paths: a program that exports nothing has no
// exporters, and whoever tests a program does not need the sample.
var without = map[string][]string{
	".":                 {"prometheus", "/otel/exporters/", "/proto/otlp", "google.golang.org/grpc", path + "/"},
	"test":              {path + "/telemetry", path + "/sample-controller"},
	"test/controlplane": {path + "/telemetry", path + "/sample-controller"},
}

func TestTheModulesRequireEachOtherByOneVersionThatAProxyCanServe(t *testing.T) {
	if v := required(t, root); v == "" || module.IsZeroPseudoVersion(v) {
		t.Errorf("they require %q: set a release with tools/require.sh", v)
	}
}

// heavy are modules that only those who use the control plane get into their go.mod.
var heavy = []string{"sigs.k8s.io/controller-runtime", "k8s.io/apiextensions-apiserver", path + "/test/controlplane"}

// version is that of the release that is made. `make release` sets it.
var version = flag.String("version", "v0.99.0", "the version of the release that is made and tried")

func TestEachModuleOfAReleaseIsBuiltAndTestedFromAnEmptyModule(t *testing.T) {
	checkout := release(t, *version)
	var folders []string
	for folder := range imports {
		folders = append(folders, folder)
	}
	env := environment(t, serve(t, checkout, *version, folders...))
	for folder, packages := range imports {
		t.Run(folder, func(t *testing.T) {
			dir := t.TempDir()
			run(t, dir, env, "go", "mod", "init", "example.com/user")
			if strings.Contains(packages[0], "cmd/") {
				install(t, filepath.Join(root, folder), dir, env, *version, packages)
				return
			}
			write(t, filepath.Join(dir, "user.go"), program("user", packages))
			write(t, filepath.Join(dir, "user_test.go"), []byte("package user\n\nimport \"testing\"\n\nfunc Test(*testing.T) {}\n"))
			// What is downloaded is checked against our own sums.
			write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(checkout, folder, "go.sum")))
			run(t, dir, env, "go", "get", modulePath(t, filepath.Join(checkout, folder))+"@"+*version)
			run(t, dir, env, "go", "mod", "tidy")
			wantWithout(t, run(t, dir, env, "go", "mod", "graph"), without[folder])
			run(t, dir, env, "go", "build", "-trimpath", "./...")
			run(t, dir, env, "go", "test", "-trimpath", "./...") // links all of it
			text := string(read(t, filepath.Join(dir, "go.mod")))
			if strings.Contains(text, "replace") {
				t.Errorf("it needs a replace:\n%s", text)
			}
			for _, unwanted := range heavy {
				if folder != "test/controlplane" && strings.Contains(text, unwanted+" ") {
					t.Errorf("the user's go.mod has %s:\n%s", unwanted, text)
				}
			}
		})
	}
}

// program is a file that imports packages.
func program(name string, packages []string) []byte {
	text := "package " + name + "\n"
	for _, p := range packages {
		text += "\nimport _ \"" + path + "/" + p + "\"\n"
	}
	return []byte(text)
}

// release makes a copy of the checkout in which the modules require each other by a version, as make release
// does, and returns its folder.
func release(t *testing.T, version string) string {
	t.Helper()
	checkout := t.TempDir()
	copyFiles(t, root, checkout)
	run(t, checkout, os.Environ(), "git", "init", "-q")
	run(t, checkout, os.Environ(), "git", "add", "-A")
	var want []string
	for _, folder := range moduleFolders(t, checkout) {
		want = append(want, strings.TrimPrefix(folder+"/"+version, "./"))
	}
	if got := strings.Fields(run(t, checkout, os.Environ(), "tools/require.sh", version)); !slices.Equal(got, want) {
		t.Fatalf("the tags of the release are %q, want %q", got, want)
	}
	if got := required(t, checkout); got != version {
		t.Fatalf("the modules of the release require each other by %q", got)
	}
	return checkout
}

// wantWithout checks that no module of a graph, as `go mod graph` prints it, is one of these.
func wantWithout(t *testing.T, graph string, unwanted []string) {
	t.Helper()
	for line := range strings.Lines(graph) {
		by, required, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, part := range unwanted {
			if strings.Contains(required, part) {
				t.Errorf("it needs %s, because of %s", required, by)
			}
		}
	}
}

// install installs programs as users do, which a replace in their module's go.mod would forbid. For that
// the go command asks for modules at each of the path's parts, so that only what is here may answer.
func install(t *testing.T, module, dir string, env []string, version string, packages []string) {
	t.Helper()
	run(t, module, os.Environ(), "go", "list", "-deps", "./...") // fills the module cache
	here := slices.Clone(env)
	for i, set := range here {
		if proxies, ok := strings.CutPrefix(set, "GOPROXY=file://"); ok {
			here[i] = "GOPROXY=file://" + strings.Join(strings.SplitN(proxies, ",", 3)[:2], ",")
		}
	}
	here = append(here, "GOBIN="+filepath.Join(dir, "bin"))
	for _, p := range packages {
		run(t, dir, here, "go", "install", "-trimpath", path+"/"+p+"@"+version)
	}
}

// environment is that of a user who has nothing of the repository. Whatever else is needed comes from
// the module cache, and only what is not there from the proxy that is set.
func environment(t *testing.T, proxy string) []string {
	t.Helper()
	set := strings.Fields(run(t, ".", os.Environ(), "go", "env", "GOMODCACHE", "GOPROXY"))
	if len(set) != 2 {
		t.Fatalf("GOMODCACHE and GOPROXY are %q", set)
	}
	cache := filepath.ToSlash(filepath.Join(set[0], "cache", "download"))
	return append(os.Environ(),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+cache+","+set[1],
		"GOMODCACHE="+t.TempDir(), "GOFLAGS=-mod=mod -modcacherw", "GOWORK=off", "GOTOOLCHAIN=local",
		"GOPRIVATE=", "GONOPROXY=", "GONOSUMDB=*", "GOSUMDB=off")
}

// required returns the version by which the modules of a checkout require each other.
func required(t *testing.T, checkout string) string {
	t.Helper()
	found, where := "", ""
	for _, folder := range moduleFolders(t, checkout) {
		for _, r := range parse(t, filepath.Join(checkout, folder)).Require {
			if r.Mod.Path != path && !strings.HasPrefix(r.Mod.Path, path+"/") {
				continue
			}
			if found != "" && r.Mod.Version != found {
				t.Errorf("%s requires %s, and %s another version, %s", folder, r.Mod, where, found)
			}
			found, where = r.Mod.Version, folder
		}
	}
	return found
}

// moduleFolders returns the folders of a checkout's modules.
func moduleFolders(t *testing.T, checkout string) (folders []string) {
	t.Helper()
	for name := range strings.Lines(run(t, checkout, os.Environ(), "git", "ls-files", "go.mod", "*/go.mod")) {
		if folder := filepath.Dir(strings.TrimSpace(name)); !strings.Contains(folder, "testdata/") {
			folders = append(folders, folder)
		}
	}
	return folders
}

func modulePath(t *testing.T, folder string) string {
	t.Helper()
	return parse(t, folder).Module.Mod.Path
}

// parse reads the go.mod of a folder.
func parse(t *testing.T, folder string) *modfile.File {
	t.Helper()
	name := filepath.Join(folder, "go.mod")
	f, err := modfile.Parse(name, read(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
