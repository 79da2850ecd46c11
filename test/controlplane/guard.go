// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// guard is a shell that kills the components and removes their files when
// this process is gone without having stopped them: after SIGKILL, a panic, or
// the timeout of go test. It notices because its standard input ends.
//
// The alternative, PR_SET_PDEATHSIG, exists on Linux only, fires when the
// thread that started the child ends, and cannot be set for the processes that
// envtest starts.
type guard struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// The script's arguments are the folder with the pid files and the folder to
// remove. Any line on standard input means that all is well.
const guardScript = `
trap '' HUP INT TERM
read -r word && exit 0
for file in "$1"/*.pid; do
  read -r pid < "$file" && kill -KILL -"$pid"
done
sleep 1
rm -rf -- "$2"
`

func startGuard(d *dirs) (*guard, error) {
	remove := d.state
	if d.temporary {
		remove = d.root
	}
	// It has to outlive this process, and so every context.
	cmd := exec.Command("/bin/sh", "-c", guardScript, "controlplane-guard", d.state, remove)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start guard: %w", err), in.Close())
	}
	return &guard{cmd: cmd, in: in}, nil
}

// dismiss ends the guard without it doing anything, and waits for it.
func (g *guard) dismiss() error {
	if g == nil {
		return nil
	}
	_, werr := io.WriteString(g.in, "done\n")
	if err := errors.Join(werr, g.in.Close(), g.cmd.Wait()); err != nil {
		return fmt.Errorf("dismiss guard: %w", err)
	}
	return nil
}
