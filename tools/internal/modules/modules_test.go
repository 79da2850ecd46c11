// SPDX-License-Identifier: Apache-2.0

package modules

import (
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
	".":                 {"controller", "controller/events", "controller/tracing"},
	"test":              {"test/shutdowntest"},
	"test/controlplane": {"test/controlplane"},
	"tools":             {"tools/cmd/ctxvet", "tools/cmd/ctxfix"},
}

func TestTheModulesRequireEachOtherByOneVersionThatAProxyCanServe(t *testing.T) {
	if v := required(t); v == "" || module.IsZeroPseudoVersion(v) {
		t.Errorf("they require %q: set a release with tools/require.sh", v)
	}
}

func TestEachModuleCanBeHadFromAProxyByAnEmptyModule(t *testing.T) {
	version := required(t)
	var folders []string
	for folder := range imports {
		folders = append(folders, folder)
	}
	proxy := serve(t, root, version, folders...)
	env := environment(t, proxy)
	for folder, packages := range imports {
		t.Run(folder, func(t *testing.T) {
			dir := t.TempDir()
			name := strings.TrimSuffix(path+"/"+folder, "/.")
			program := "package user\n"
			for _, p := range packages {
				if strings.Contains(p, "/cmd/") {
					continue // a program is built, not imported
				}
				program += "\nimport _ \"" + path + "/" + p + "\"\n"
			}
			write(t, filepath.Join(dir, "user.go"), []byte(program))
			run(t, dir, env, "go", "mod", "init", "example.com/user")
			if folder == "tools" {
				install(t, dir, env, version, packages)
				return
			}
			// What is downloaded is checked against our own sums.
			write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root, folder, "go.sum")))
			run(t, dir, env, "go", "get", name+"@"+version)
			run(t, dir, env, "go", "mod", "tidy")
			run(t, dir, env, "go", "build", "-trimpath", "./...")
			if text := string(read(t, filepath.Join(dir, "go.mod"))); strings.Contains(text, "replace") {
				t.Errorf("it needs a replace:\n%s", text)
			}
		})
	}
}

// install installs programs as users do, which a replace in their module's go.mod would forbid. For that
// the go command asks for modules at each of the path's parts, so that only what is here may answer.
func install(t *testing.T, dir string, env []string, version string, packages []string) {
	t.Helper()
	run(t, filepath.Join(root, "tools"), os.Environ(), "go", "list", "-deps", "./cmd/...") // fills the module cache
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

// required returns the version by which the modules require each other.
func required(t *testing.T) string {
	t.Helper()
	files := run(t, root, os.Environ(), "git", "ls-files", "go.mod", "*/go.mod")
	found, where := "", ""
	for name := range strings.Lines(files) {
		name = strings.TrimSpace(name)
		if strings.Contains(name, "testdata/") {
			continue
		}
		for _, r := range parse(t, filepath.Join(root, name)).Require {
			if r.Mod.Path != path && !strings.HasPrefix(r.Mod.Path, path+"/") {
				continue
			}
			if found != "" && r.Mod.Version != found {
				t.Errorf("%s requires %s, and %s another version, %s", name, r.Mod, where, found)
			}
			found, where = r.Mod.Version, name
		}
	}
	return found
}

func modulePath(t *testing.T, folder string) string {
	t.Helper()
	return parse(t, filepath.Join(folder, "go.mod")).Module.Mod.Path
}

func parse(t *testing.T, path string) *modfile.File {
	t.Helper()
	f, err := modfile.Parse(path, read(t, path), nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
