// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lanyard-k8s/lanyard/test/controlplane/assets"
)

// logFiles are what envtest's components write to.
type logFiles struct{ etcd, apiServer *os.File }

func openLogs(d *dirs) (*logFiles, error) {
	etcd, err := openLog(d, assets.Etcd)
	if err != nil {
		return nil, err
	}
	apiServer, err := openLog(d, assets.APIServer)
	if err != nil {
		return nil, errors.Join(err, etcd.Close())
	}
	return &logFiles{etcd: etcd, apiServer: apiServer}, nil
}

func (l *logFiles) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.etcd.Close(), l.apiServer.Close())
}

// openLog opens a component's log, which starts anew.
func openLog(d *dirs, c assets.Component) (*os.File, error) {
	f, err := os.OpenFile(d.log(c), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", c, err)
	}
	return f, nil
}

// tail returns the last lines of a component's log, for an error.
func (d *dirs) tail(c assets.Component) string {
	const size, lines = 8192, 15
	f, err := os.Open(d.log(c))
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err == nil && info.Size() > size {
		_, _ = f.Seek(-size, io.SeekEnd) // at worst the tail is a head
	}
	data, err := io.ReadAll(io.LimitReader(f, size))
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	all := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return "last lines of " + d.log(c) + ":\n" + string(bytes.Join(all, []byte("\n")))
}
