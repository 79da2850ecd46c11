// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// writeLauncher writes a script that notes its process number and becomes the
// component. envtest does not tell the number, and without it neither a
// context nor the guard could end the process.
func writeLauncher(d *dirs, binaries string, c assets.Component) (string, error) {
	path := filepath.Join(d.path("bin"), string(c))
	// envtest asks for --help first, and that process needs no note.
	script := "#!/bin/sh\ncase \"$1\" in --help) ;; *) echo $$ > " + quote(d.pidFile(c)) +
		" ;; esac\nexec " + quote(filepath.Join(binaries, string(c))) + " \"$@\"\n"
	// A child forked while the file is open for writing would inherit it, and
	// nobody can execute the script until that child has gone on to its own.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("write launcher of %s: %w", c, err)
	}
	return path, nil
}

// quote quotes a word for the shell.
func quote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
