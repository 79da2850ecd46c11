// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// inner is set for the runs that repair starts.
const inner = "CTXFIX_INNER"

// repairs reports whether these arguments are to write what ctxargs repairs, and returns them
// without -fix.
func repairs(args []string) (rest []string, ok bool) {
	var ctxargs, fix, diff bool
	for _, arg := range args {
		switch name, value, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); {
		case !strings.HasPrefix(arg, "-") || value == "false":
			rest = append(rest, arg)
		case name == "fix":
			fix = true
		default:
			ctxargs = ctxargs || name == "ctxargs"
			diff = diff || name == "diff"
			rest = append(rest, arg)
		}
	}
	return rest, ctxargs && fix && !diff
}

// repair writes the repairs and then looks at what is left. In one run, multichecker prints the
// type errors from before the repairs and exits as if they were still there.
func repair(args, rest []string) int {
	var out bytes.Buffer
	if code := run(args, &out); code != 0 {
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "ctxfix: ") && !strings.Contains(line, "skipped due to errors") {
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
	fmt.Fprintln(os.Stderr, "ctxfix:", err)
	return 1
}
