// SPDX-License-Identifier: Apache-2.0

// Command apidiff compares the public packages of a module in two folders:
//
//	apidiff -old FOLDER [-new FOLDER] [-accepted FILE] PATTERN...
//
// It exits with status 1 if there is an incompatible change that the file does not list. It uses
// golang.org/x/exp/apidiff, which says what is compatible. Unlike the command of the same name
// there it needs no export data, which depends on the Go version, and knows accepted changes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lanyard-k8s/lanyard/tools/internal/surface"
)

// config is what the command line says.
type config struct {
	older    string   // folder of the module as it was
	newer    string   // folder of the module as it is
	accepted string   // file with incompatible changes made on purpose; "" for none
	patterns []string // the packages
}

func main() {
	var c config
	flag.StringVar(&c.older, "old", "", "folder of the module as it was")
	flag.StringVar(&c.newer, "new", ".", "folder of the module as it is")
	flag.StringVar(&c.accepted, "accepted", "", "file that lists accepted incompatible changes")
	flag.Parse()
	c.patterns = flag.Args()
	if err := run(c, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apidiff:", err)
		os.Exit(1)
	}
}

func run(c config, out io.Writer) error {
	if c.older == "" || len(c.patterns) == 0 {
		return errors.New("-old and a pattern of packages are required")
	}
	accepted, err := readAccepted(c.accepted)
	if err != nil {
		return err
	}
	older, err := surface.Load(c.older, c.patterns...)
	if err != nil {
		return err
	}
	newer, err := surface.Load(c.newer, c.patterns...)
	if err != nil {
		return err
	}
	changes := surface.Compare(older, newer, accepted)
	changes.Write(out)
	if n := len(changes.Incompatible); n > 0 {
		return fmt.Errorf(
			"%d incompatible changes are not accepted: undo them, or list them in the file of -accepted", n)
	}
	return nil
}

// readAccepted reads the list of accepted changes. No file is an empty list.
func readAccepted(file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return surface.ReadList(f)
}
