// SPDX-License-Identifier: Apache-2.0

// Command apilist lists what the public packages of a module export, one line for each
// identifier:
//
//	apilist [-dir FOLDER] PATTERN...                    write the listing to standard output
//	apilist [-dir FOLDER] -file FILE PATTERN...         write it to a file
//	apilist [-dir FOLDER] -file FILE -check PATTERN...  compare it with the file
//
// With -check it prints the difference and exits with status 1 if there is one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lanyard-k8s/lanyard/tools/internal/surface"
)

// header is the begin of each file that the command writes.
const header = "# The exported surface, made by `make api`. A change of it is seen in review here.\n"

// config is what the command line says.
type config struct {
	dir      string   // folder of the module
	file     string   // the listing; "" for standard output
	check    bool     // compare, do not write
	patterns []string // the packages
}

func main() {
	var c config
	flag.StringVar(&c.dir, "dir", ".", "folder of the module")
	flag.StringVar(&c.file, "file", "", "file of the listing (default: standard output)")
	flag.BoolVar(&c.check, "check", false, "fail if the listing in the file differs")
	flag.Parse()
	c.patterns = flag.Args()
	if err := run(c, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apilist:", err)
		os.Exit(1)
	}
}

func run(c config, out io.Writer) error {
	if len(c.patterns) == 0 || (c.check && c.file == "") {
		return errors.New("a pattern of packages is required, and -file with -check")
	}
	s, err := surface.Load(c.dir, c.patterns...)
	if err != nil {
		return err
	}
	lines := s.Lines()
	text := header + strings.Join(lines, "\n") + "\n"
	switch {
	case c.check:
		return check(c.file, lines, out)
	case c.file == "":
		_, err := io.WriteString(out, text)
		return err
	default:
		return write(c.file, text)
	}
}

func write(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// check prints the lines that only the file has, and those that it lacks.
func check(file string, lines []string, out io.Writer) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("there is no listing, run 'make api': %w", err)
	}
	defer f.Close()
	listed, err := surface.ReadList(f)
	if err != nil {
		return err
	}
	same := true
	print := func(sign string, from, without []string) {
		for _, line := range from {
			if !slices.Contains(without, line) {
				same = false
				fmt.Fprintln(out, sign+line)
			}
		}
	}
	print("-", listed, lines)
	print("+", lines, listed)
	if !same {
		return fmt.Errorf("the exported surface is not the one in %s: run 'make api' and commit the change", file)
	}
	return nil
}
