// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"os/exec"
	"runtime"
)

// docker uses the engine that the docker command is set up for.
type docker struct {
	refs []string
}

func (d *docker) build(ctx context.Context, ref, dir string) error {
	_, err := output(exec.CommandContext(ctx, "docker", "build", "--platform", "linux/"+runtime.GOARCH, "--tag", ref, dir))
	if err == nil {
		d.refs = append(d.refs, ref)
	}
	return err
}

func (d *docker) save(ctx context.Context, ref, file string) error {
	_, err := output(exec.CommandContext(ctx, "docker", "save", "--output", file, ref))
	return err
}

func (d *docker) command(ctx context.Context, ref string, mounts map[string]string, args []string) (*exec.Cmd, error) {
	run := []string{
		"run", "--rm", "--network", "host",
		"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
	}
	for from, to := range mounts {
		run = append(run, "--volume", from+":"+to+":ro")
	}
	run = append(run, ref)
	return exec.CommandContext(ctx, "docker", append(run, args...)...), nil
}

func (d *docker) Close(ctx context.Context) error {
	if len(d.refs) == 0 {
		return nil
	}
	_, err := output(exec.CommandContext(ctx, "docker", append([]string{"image", "rm", "--force"}, d.refs...)...))
	return err
}
