// SPDX-License-Identifier: Apache-2.0

// Command controlplane builds a Kubernetes control plane and runs it on this
// machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/lanyard-k8s/lanyard/test/controlplane"
	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

const usage = `usage:
  controlplane build [-nodes]   build the binaries that are missing or damaged
  controlplane assets [-nodes]  the same, then print the folder that holds them:
                                KUBEBUILDER_ASSETS=$(controlplane assets)
  controlplane up [-nodes n] [-controllers c,...] [-dir d] [-kubeconfig f]
                                start a cluster and keep it until interrupted

All take -version, the version of Kubernetes; -version help lists those there are.

up says which controllers run. +c,... names controllers besides the default ones:
  -controllers +job-controller,statefulset-controller

Without -nodes, build and assets mean etcd and kube-apiserver only.
The first build takes several minutes; the result is cached.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once: a second interrupt ends the process the hard way.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return fmt.Errorf("name a command")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	switch args[0] {
	case "build", "assets":
		return runBuild(ctx, flags, args, out)
	case "up":
		return runUp(ctx, flags, args[1:], out)
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("unknown command %q", args[0])
}

func runBuild(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	nodes := flags.Bool("nodes", false, "also what runs Deployments on simulated nodes")
	version := versionFlag(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	components := assets.Core()
	if *nodes {
		components = assets.All()
	}
	build := args[0] == "build"
	dir, err := assets.Ensure(ctx, assets.Options{Thorough: build, Kubernetes: *version}, components...)
	if err != nil {
		return err
	}
	if build {
		fmt.Fprintf(os.Stderr, "%d components are in %s\n", len(components), dir)
		return nil
	}
	fmt.Fprintln(out, dir)
	return nil
}

func versionFlag(flags *flag.FlagSet) *string {
	return flags.String("version", "", "version of Kubernetes (default: "+assets.KubernetesVersion+")")
}

func runUp(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) (err error) {
	version := versionFlag(flags)
	nodes := flags.Int("nodes", 1, "number of simulated nodes; 0 starts only etcd and kube-apiserver")
	controllers := flags.String("controllers", "",
		"controllers of kube-controller-manager, with commas between; +c,... adds to the default ones")
	dir := flags.String("dir", "", "folder for logs (default: a temporary one)")
	kubeconfig := flags.String("kubeconfig", "", "file to write (default: kubeconfig next to the logs)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	began := time.Now()
	cluster, err := controlplane.Start(ctx, controlplane.Options{
		Nodes: *nodes, Controllers: controllerNames(*controllers), Dir: *dir, Version: *version,
	})
	if err != nil {
		return err
	}
	defer func() { err = stop(ctx, cluster, err) }()
	if *kubeconfig == "" {
		*kubeconfig = filepath.Join(cluster.Dir(), "kubeconfig")
	}
	if err := controlplane.WriteKubeconfig(*kubeconfig, cluster.Config()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Kubernetes %s is up after %s; logs are in %s; interrupt to stop\n",
		cluster.Version(), time.Since(began).Round(100*time.Millisecond), cluster.Dir())
	fmt.Fprintf(out, "export KUBECONFIG=%s\n", *kubeconfig)
	<-ctx.Done()
	return nil
}

// controllerNames returns the controllers that the flag names; none for the default.
func controllerNames(flag string) []string {
	names, more := strings.CutPrefix(flag, "+")
	if names == "" {
		return nil
	}
	if more {
		return append(controlplane.DefaultControllers(), strings.Split(names, ",")...)
	}
	return strings.Split(names, ",")
}

// stop runs when ctx has ended, so it gets time of its own.
func stop(ctx context.Context, cluster *controlplane.ControlPlane, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if stopErr := cluster.Stop(ctx); stopErr != nil && err == nil {
		return stopErr
	}
	return err
}
