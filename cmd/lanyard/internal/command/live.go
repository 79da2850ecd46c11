// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/lanyard-k8s/lanyard/cmd/lanyard/internal/live"
)

// program says which program is asked.
type program struct {
	address string
	access  live.Access
	pod     live.Pod
	output  string
}

func (p *program) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&p.address, "address", "", "the address of the program's page, such as http://localhost:8082; in place of a pod")
	flags.StringVar(&p.access.TokenFile, "token-file", "", "a file with the bearer token for --address")
	flags.StringVar(&p.access.CAFile, "ca-file", "", "a file with the authority of the certificate of --address")
	flags.StringVar(&p.pod.Kubeconfig, "kubeconfig", "", "the kubeconfig of the cluster that has the pod; empty: as kubectl finds it")
	flags.StringVar(&p.pod.Context, "context", "", "the context in the kubeconfig")
	flags.StringVarP(&p.pod.Namespace, "namespace", "n", "", "the namespace of the pod")
	flags.StringVar(&p.pod.Name, "pod", "", "the pod of the program")
	flags.StringVarP(&p.pod.Selector, "selector", "l", "", "labels of the program's pods; the first that runs is asked")
	flags.IntVar(&p.pod.Port, "port", 8082, "the port of the page in the pod")
	flags.StringVarP(&p.output, "output", "o", "", "json for JSON; empty for people")
}

// connect returns a client, and a function that ends its connection.
func (p *program) connect(ctx context.Context) (*live.Client, func(), error) {
	if p.output != "" && p.output != "json" {
		return nil, nil, fmt.Errorf("-o %s: it is json, or nothing", p.output)
	}
	address, stop := p.address, func() {}
	switch {
	case p.address != "":
	case p.pod.Name == "" && p.pod.Selector == "":
		return nil, nil, errors.New("name the program: --address http://localhost:8082, --pod NAME or --selector LABELS")
	default:
		var err error
		if address, stop, err = p.pod.Forward(ctx); err != nil {
			return nil, nil, err
		}
	}
	client, err := live.New(address, p.access)
	if err != nil {
		stop()
		return nil, nil, err
	}
	return client, func() { client.Close(); stop() }, nil
}

func top() *cobra.Command {
	p := &program{}
	var once bool
	var every time.Duration
	c := &cobra.Command{
		Use:   "top",
		Short: "Show what a program does now: its terms, controllers, reconciles in flight and their calls",
		Example: "  lanyard top --address http://localhost:8082\n" +
			"  lanyard top -n lanyard-system -l app.kubernetes.io/name=flunder-controller",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, stop, err := p.connect(c.Context())
			if err != nil {
				return err
			}
			defer stop()
			out := c.OutOrStdout()
			terminal := isTerminal(out)
			if p.output == "json" || once || !terminal {
				return printOnce(c.Context(), client, out, p.output, live.Printer{Colours: colours(out), Items: 1 << 30})
			}
			return follow(c.Context(), client, out, every)
		},
	}
	p.addFlags(c.Flags())
	c.Flags().BoolVar(&once, "once", false, "show it once, also in a terminal")
	c.Flags().DurationVar(&every, "every", 2*time.Second, "the time between two looks")
	return c
}

func printOnce(ctx context.Context, client *live.Client, out io.Writer, output string, printer live.Printer) error {
	raw, s, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	if output == "json" {
		_, err = out.Write(raw)
		return err
	}
	printer.Print(out, s)
	return nil
}

// follow shows a snapshot after the other, until ctx ends.
func follow(ctx context.Context, client *live.Client, out io.Writer, every time.Duration) error {
	ticker := time.NewTicker(max(every, 100*time.Millisecond))
	defer ticker.Stop()
	for {
		var screen strings.Builder
		if err := printOnce(ctx, client, &screen, "", live.Printer{Colours: colours(out), Items: 20}); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		const clear = "\x1b[H\x1b[2J"
		if _, err := io.WriteString(out, clear+screen.String()); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func why() *cobra.Command {
	p := &program{}
	c := &cobra.Command{
		Use:     "why [NAMESPACE/]NAME",
		Short:   "Tell why an object is reconciled, what it waits for, and what it has written",
		Example: "  lanyard why default/web --address http://localhost:8082",
		Args:    exactly("object"),
		RunE: func(c *cobra.Command, args []string) error {
			namespace, name, found := strings.Cut(args[0], "/")
			if !found {
				namespace, name = "", args[0]
			}
			client, stop, err := p.connect(c.Context())
			if err != nil {
				return err
			}
			defer stop()
			told, err := client.Stories(c.Context(), namespace, name)
			switch {
			case err != nil:
				return err
			case len(told.Stories) == 0:
				return fmt.Errorf("no controller of this process knows an object %s", args[0])
			case p.output == "json":
				encoder := json.NewEncoder(c.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(told.Stories)
			}
			_, err = io.WriteString(c.OutOrStdout(), told.Text)
			return err
		},
	}
	p.addFlags(c.Flags())
	return c
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func colours(out io.Writer) bool { return isTerminal(out) && os.Getenv("NO_COLOR") == "" }
