// SPDX-License-Identifier: Apache-2.0

package image

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"runtime"
)

// buildah works without a daemon and, with chroot isolation, inside a container too: it needs
// no namespaces, so what it runs is on the host's network.
type buildah struct {
	global []string
}

// newBuildah keeps images below dir, unpacked with vfs: the one storage driver that works on
// every file system, and the images here are one file.
func newBuildah(dir string) *buildah {
	return &buildah{global: []string{
		"--root", filepath.Join(dir, "root"),
		"--runroot", filepath.Join(dir, "run"),
		"--storage-driver", "vfs",
	}}
}

func (b *buildah) cmd(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "buildah", append(b.global[:len(b.global):len(b.global)], args...)...)
}

func (b *buildah) build(ctx context.Context, ref, dir string) error {
	_, err := output(b.cmd(ctx, "build", "--isolation", "chroot", "--platform", "linux/"+runtime.GOARCH, "--tag", ref, dir))
	return err
}

func (b *buildah) save(ctx context.Context, ref, file string) error {
	_, err := output(b.cmd(ctx, "push", ref, "docker-archive:"+file))
	return err
}

func (b *buildah) command(ctx context.Context, ref string, mounts map[string]string, args []string) (*exec.Cmd, error) {
	container, err := output(b.cmd(ctx, "from", "--pull-never", ref))
	if err != nil {
		return nil, err
	}
	run := []string{"run", "--isolation", "chroot"}
	for from, to := range mounts {
		run = append(run, "--volume", from+":"+to+":ro")
	}
	run = append(run, container, "--", Entrypoint) // buildah leaves the image's entrypoint aside
	return b.cmd(ctx, append(run, args...)...), nil
}

func (b *buildah) Close(ctx context.Context) error {
	_, containers := output(b.cmd(ctx, "rm", "--all"))
	_, images := output(b.cmd(ctx, "rmi", "--all", "--force"))
	return errors.Join(containers, images)
}
