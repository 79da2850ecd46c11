// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// ErrNoBuilder says that nothing on this machine can build an image.
var ErrNoBuilder = errors.New("neither buildah nor a Docker engine is here")

// Builder builds images and runs them. [Find] returns one.
type Builder interface {
	// Close removes the images and containers that the Builder has made.
	Close(ctx context.Context) error

	build(ctx context.Context, ref, dir string) error
	// save writes the image in the format of `docker save`.
	save(ctx context.Context, ref, file string) error
	// command returns the command that runs the image: on the host's network, as the
	// image's user, with the host's folders mounted read-only.
	command(ctx context.Context, ref string, mounts map[string]string, args []string) (*exec.Cmd, error)
}

// Find returns buildah, with a store of its own below dir, or else Docker, if an engine
// answers; if not, [ErrNoBuilder].
func Find(ctx context.Context, dir string) (Builder, error) {
	if _, err := exec.LookPath("buildah"); err == nil {
		return newBuildah(dir), nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := output(exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}")); err != nil {
		return nil, fmt.Errorf("%w (docker: %w)", ErrNoBuilder, err)
	}
	return &docker{}, nil
}

// output runs a command to its end; its error says what the command wrote to standard error.
func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}
