// SPDX-License-Identifier: Apache-2.0

package main

import (
	"embed"
	"fmt"
	"go/types"
	"os"
	"path"
	"strings"
	"text/template"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.tmpl"))

// output collects the files of a snapshot.
type output struct {
	config
	header string
	set    *clientset
	files  map[string][]byte
}

// groupData is what templates see of a group.
type groupData struct {
	Name, Path string
	Fake       bool
}

// generate makes all files of the snapshot; the keys are paths below it.
func generate(c config, set *clientset) (map[string][]byte, error) {
	out := &output{config: c, set: set, files: map[string][]byte{}}
	if c.header != "" {
		text, err := os.ReadFile(c.header)
		if err != nil {
			return nil, err
		}
		out.header = string(text)
	}
	steps := []func() error{out.clientsetFile, out.schemeFile, out.fakeFile}
	for _, g := range set.groups {
		steps = append(steps, func() error { return out.groupFiles(g) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return out.files, nil
}

// add renders a file. The package that it stands for is imported as "versioned" in all of them.
func (out *output) add(name string, f *file, template string, data map[string]any) error {
	if _, ok := out.files[name]; ok {
		return fmt.Errorf("two files %s", name)
	}
	data["F"] = f
	text, err := f.render(out.header, template, data)
	out.files[name] = text
	return err
}

func (out *output) groupsData() []groupData {
	var all []groupData
	for _, g := range out.set.groups {
		all = append(all, groupData{g.name, path.Join(out.outputPkg, g.rel), g.fake})
	}
	return all
}

func (out *output) clientsetFile() error {
	f := newFile(path.Base(out.outputPkg))
	f.importAs(out.clientset, "versioned")
	return out.add("clientset.go", f, "clientset", map[string]any{
		"NewPkg": out.clientset, "Type": "Clientset",
		"Discovery": f.typ(oldDiscovery(out.set.discovery)), "Groups": out.groupsData(),
	})
}

// oldDiscovery is what Discovery returned before its interface was split in one with and one without
// contexts: the latter.
func oldDiscovery(now types.Type) types.Type {
	named, ok := types.Unalias(now).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return now
	}
	old := named.Obj().Pkg().Scope().Lookup("DiscoveryInterface")
	if old == nil || !types.AssignableTo(now, old.Type()) {
		return now
	}
	return old.Type()
}

func (out *output) schemeFile() error {
	if !out.set.scheme {
		return nil
	}
	f := newFile("scheme")
	f.importAs(out.clientset+"/scheme", "versioned")
	return out.add("scheme/register.go", f, "scheme", map[string]any{"NewPkg": out.clientset + "/scheme"})
}

func (out *output) fakeFile() error {
	if len(out.set.fakes) == 0 {
		return nil
	}
	f := newFile("fake")
	f.importAs(out.clientset+"/fake", "versioned")
	f.importAs(out.clientset, "clientset")
	f.importAs(out.outputPkg, "deprecated")
	return out.add("fake/clientset_generated.go", f, "fake", map[string]any{
		"NewPkg": out.clientset + "/fake", "Constructors": out.set.fakes,
		"Discovery": f.typ(oldDiscovery(out.set.discovery)), "Groups": out.groupsData(),
	})
}

// resourceData is what templates see of a kind's client.
type resourceData struct {
	Name, Getter, Returned string
	Namespaced             bool
}

func (out *output) resourceData(r *resource) resourceData {
	data := resourceData{r.name, r.getter, "*" + r.name + "Client", r.namespaced}
	if out.getters == "interface" {
		data.Returned = r.name + "Interface"
	}
	return data
}

func (out *output) groupFiles(g *group) error {
	f := newFile(g.pkg.Name)
	f.importAs(g.pkg.PkgPath, "versioned")
	var resources []resourceData
	for _, r := range g.resources {
		resources = append(resources, out.resourceData(r))
		if err := out.resourceFile(g, r); err != nil {
			return err
		}
	}
	name := path.Join(g.rel, path.Base(path.Dir(g.rel))+"_client.go")
	if err := out.add(name, f, "group", map[string]any{
		"NewPkg": g.pkg.PkgPath, "Name": g.name, "Type": g.name + "Client", "Resources": resources,
	}); err != nil {
		return err
	}
	if err := out.extraFile(g); err != nil {
		return err
	}
	if !g.fake || len(out.set.fakes) == 0 {
		return nil
	}
	fake := newFile("fake")
	return out.add(path.Join(g.rel, "fake", "fake_"+path.Base(name)), fake, "fakegroup", map[string]any{
		"NewPkg": g.pkg.PkgPath + "/fake", "Name": g.name, "Path": path.Join(out.outputPkg, g.rel),
	})
}

func (out *output) resourceFile(g *group, r *resource) error {
	f := newFile(g.pkg.Name)
	f.importAs(g.pkg.PkgPath, "versioned")
	data := out.resourceData(r)
	all := oldMethods(f, append(r.methods[:len(r.methods):len(r.methods)], r.expansion...))
	for _, m := range all {
		if m.Name == withContext {
			return fmt.Errorf("%s.%sInterface has a method %s, which the snapshot needs for itself", g.pkg.PkgPath, r.name, m.Name)
		}
	}
	methods, expansion := split(all, r.expansion)
	return out.add(path.Join(g.rel, strings.ToLower(r.name)+".go"), f, "resource", map[string]any{
		"NewPkg": g.pkg.PkgPath, "Type": r.name + "Client",
		"Name": data.Name, "Getter": data.Getter, "Returned": data.Returned, "Namespaced": data.Namespaced,
		"Methods": methods, "Expansion": expansion, "All": all,
		"HasExpansion": g.pkg.Types.Scope().Lookup(r.name+"Expansion") != nil,
	})
}

// split separates the methods that were written by hand.
func split(all []method, byHand []*types.Func) (methods, expansion []method) {
	names := map[string]bool{}
	for _, m := range byHand {
		names[m.Name()] = true
	}
	for _, m := range all {
		if names[m.Name] {
			expansion = append(expansion, m)
		} else {
			methods = append(methods, m)
		}
	}
	return methods, expansion
}
