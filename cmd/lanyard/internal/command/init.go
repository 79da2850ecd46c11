// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/disk"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/layout"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/names"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/project"
	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/toolchain"
)

// oldestGo is the oldest Go version that builds a project; Lanyard's modules say so.
const oldestGo = "1.26.0"

// initOptions are the flags of init.
type initOptions struct {
	group, version   string
	kinds            []string
	plural           string
	name, dir        string
	lanyard          string
	out, diagnostics io.Writer
}

func initialize() *cobra.Command {
	var o initOptions
	c := &cobra.Command{
		Use:   "init MODULE --group GROUP --kind KIND [--kind KIND]...",
		Short: "Make a project: kinds with controllers, manifests and tests",
		Long: `Make a project in a new folder, or in one that is empty or has only .git.

It has the kinds, a controller and tests for each, generated clients, manifests, and a Makefile in which
"make run" and "make test" work without Docker or a cluster. Each file of it is yours to change, but for the
generated ones, which "make generate" replaces.`,
		Example: "  lanyard init example.com/shop/widget-operator --group shop.example.com --kind Widget",
		Args:    exactly("MODULE"),
		RunE: func(c *cobra.Command, args []string) error {
			o.out, o.diagnostics = c.OutOrStdout(), c.ErrOrStderr()
			return o.run(c.Context(), args[0])
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.group, "group", "", "the API group of the kinds, a domain name such as shop.example.com")
	flags.StringVar(&o.version, "version", "v1alpha1", "the API version of the kinds")
	flags.StringArrayVar(&o.kinds, "kind", nil, "a kind, such as Widget; several are several flags")
	flags.StringVar(&o.plural, "plural", "", "the name of the kind's resource; empty: by the rules of English")
	flags.StringVar(&o.name, "name", "", "the name of the program, its image and its objects; empty: the last part of MODULE")
	flags.StringVar(&o.dir, "dir", "", "the folder of the project; empty: a new one with the project's name")
	addLanyard(flags, &o.lanyard)
	return c
}

// run makes the project. Until all is done, everything is in a folder beside the project's.
func (o *initOptions) run(ctx context.Context, module string) error {
	p, kinds, dir, err := o.plan(module)
	if err != nil {
		return err
	}
	if err := toolchain.Check(ctx, p.Go); err != nil {
		return err
	}
	made, err := disk.Beside(dir)
	if err != nil {
		return err
	}
	if err := o.make(ctx, made, p, kinds); err != nil {
		return errors.Join(err, os.RemoveAll(made))
	}
	if err := disk.Move(made, dir); err != nil {
		return errors.Join(fmt.Errorf("put the project into %s: %w", dir, err), os.RemoveAll(made))
	}
	o.tell(dir, p, kinds)
	return nil
}

// plan checks what was asked for before anything is made.
func (o *initOptions) plan(module string) (p layout.Project, kinds []layout.Kind, dir string, err error) {
	if err = names.CheckModule(module); err != nil {
		return
	}
	p = layout.Project{Module: module, Name: o.name, Go: oldestGo}
	if p.Name == "" {
		p.Name = names.Project(module)
	}
	if err = names.CheckProject(p.Name); err != nil {
		return
	}
	if len(o.kinds) == 0 || o.group == "" {
		err = errors.New("init needs a --group and a --kind, such as --group shop.example.com --kind Widget")
		return
	}
	if len(o.kinds) > 1 && o.plural != "" {
		err = errors.New("--plural is for one --kind: add the others with lanyard add kind")
		return
	}
	var known []project.Kind
	for _, name := range o.kinds {
		var kind layout.Kind
		if kind, _, err = newKind(module, known, nil, kindOptions{o.group, o.version, o.plural}, name); err != nil {
			return
		}
		kinds = append(kinds, kind)
		known = append(known, project.Kind{
			Group: kind.Group, Version: kind.Version, Kind: kind.Kind, Plural: kind.Plural, Folder: kind.Folder,
		})
	}
	if p.Lanyard, err = source(ownVersion(), o.lanyard); err != nil {
		return
	}
	if dir = o.dir; dir == "" {
		dir = p.Name
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return
	}
	err = disk.CheckEmpty(dir)
	return
}

// make makes the project in dir.
func (o *initOptions) make(ctx context.Context, dir string, p layout.Project, kinds []layout.Kind) error {
	files, err := p.Files()
	if err != nil {
		return err
	}
	for i, kind := range kinds {
		more, err := kind.Files(i == 0)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	if _, err := disk.Write(dir, files); err != nil {
		return err
	}
	removeStubs, err := disk.Write(dir, layout.Stubs(p.Module, files))
	if err != nil {
		return err
	}
	fmt.Fprintln(o.diagnostics, "lanyard: finding the modules")
	for _, module := range []string{"tools", "."} {
		if err := toolchain.Go(ctx, filepath.Join(dir, module), "mod", "tidy"); err != nil {
			return o.noModules(err)
		}
	}
	if err := removeStubs(); err != nil {
		return err
	}
	fmt.Fprintln(o.diagnostics, "lanyard: generating clients and manifests; the first time, the generators are built")
	if err := toolchain.Script(ctx, dir, project.Generate); err != nil {
		return fmt.Errorf("generate the clients and manifests: %w", err)
	}
	if err := toolchain.Go(ctx, dir, "mod", "tidy"); err != nil {
		return o.noModules(err)
	}
	return nil
}

func (o *initOptions) noModules(err error) error {
	return fmt.Errorf("find the modules of the project: %w; nothing was made: if the network or the proxy of the go "+
		"command (GOPROXY) is to blame, run the same command again later", err)
}

func (o *initOptions) tell(dir string, p layout.Project, kinds []layout.Kind) {
	first := kinds[0]
	types := fmt.Sprintf("api/%s/%s/%s_types.go", first.Folder, first.Version, first.Lower())
	reconciler := fmt.Sprintf("internal/controllers/%s.go", first.File())
	width := max(len(types), len(reconciler))
	place, enter := shorter(dir), ""
	if place == "." {
		place = "this folder"
	} else {
		enter = "  cd " + place + "\n"
	}
	fmt.Fprintf(o.out, `The project %s is in %s.

  %-*s   the kind %s
  %-*s   its controller

%s  make run     # the samples become ready on a control plane of its own, until Ctrl-C
  make test    # generated files, analyzers, and all tests

The first of them builds a control plane, if this machine has none: about twelve minutes on two cores.
After a change of api/ or of a +kubebuilder:rbac marker: make generate
`, p.Name, place, width, types, first.Kind, width, reconciler, enter)
}

// shorter returns a path as a user in this folder would write it.
func shorter(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	if relative, err := filepath.Rel(here, dir); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return dir
}
