// SPDX-License-Identifier: Apache-2.0

// Package fixes is the main function of a tool that can write its fixes.
package fixes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/multichecker"
)

// inner is set for the runs that Main starts.
const inner = "CTXVET_INNER"

// Main runs the analyzers as multichecker does, but for -fix: multichecker then says nothing of the
// findings that have no fix, and exits with 0. Main prints what is left, and exits with 0 only if
// nothing is.
func Main(analyzers ...*analysis.Analyzer) {
	if rest, ok := writes(os.Args[1:]); ok && os.Getenv(inner) == "" {
		os.Exit(write(os.Args[1:], rest))
	}
	multichecker.Main(analyzers...)
}

// writes reports whether these arguments are to write fixes, and returns them without -fix. Under
// the go command, which hands over a .cfg file, the go command prints what is left.
func writes(args []string) (rest []string, ok bool) {
	var fix, diff bool
	for _, arg := range args {
		switch name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); {
		case strings.HasSuffix(arg, ".cfg"):
			return nil, false
		case !strings.HasPrefix(arg, "-") || value == "false":
			rest = append(rest, arg)
		case name == "fix":
			fix = true
		default:
			diff = diff || name == "diff"
			rest = append(rest, arg)
		}
	}
	return rest, fix && !diff
}

// write writes the fixes and then looks at what is left. What multichecker prints while it writes are
// type errors from before the fixes, and is dropped if it could write.
func write(args, rest []string) int {
	var out bytes.Buffer
	if code := run(args, &out); code != 0 {
		prefix := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") + ": "
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, prefix) && !strings.Contains(line, "skipped due to errors") {
				fmt.Fprint(os.Stderr, out.String())
				return code
			}
		}
	}
	return run(rest, os.Stderr)
}

func run(args []string, out io.Writer) int {
	cmd := exec.Command(os.Args[0], args...)
	if self, err := os.Executable(); err == nil {
		cmd.Path = self
	}
	cmd.Env = append(os.Environ(), inner+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}
