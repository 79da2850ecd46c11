// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// manifest describes the files of one component in the cache. It is written
// last, so its absence means that a build did not end.
type manifest map[string]fileInfo

type fileInfo struct {
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	ModTime time.Time `json:"modTime"`
}

// errNeverBuilt is the state of a component of which the cache holds nothing.
var errNeverBuilt = errors.New("not built yet")

func manifestPath(dir string, c Component) string {
	return filepath.Join(dir, string(c)+".json")
}

// verify returns nil when the component in dir is complete, errNeverBuilt when
// there is nothing of it, and an error that says what is wrong otherwise.
//
// Sizes are always compared. Hashing all binaries takes more than a second,
// which would be a quarter of a start; so unless thorough is set, a file is
// hashed only if its modification time is not the one noted when it was built
// and flushed to disk. Whatever writes to the file changes that time.
func verify(dir string, c Component, thorough bool) error {
	data, err := os.ReadFile(manifestPath(dir, c))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, string(c))); errors.Is(err, fs.ErrNotExist) {
			return errNeverBuilt
		}
		return errors.New("its manifest is missing")
	}
	if err != nil {
		return fmt.Errorf("its manifest cannot be read: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("its manifest is damaged: %w", err)
	}
	for _, name := range c.files() {
		if err := m.verifyFile(dir, name, thorough); err != nil {
			return err
		}
	}
	return nil
}

func (m manifest) verifyFile(dir, name string, thorough bool) error {
	want, ok := m[name]
	if !ok {
		return fmt.Errorf("its manifest does not mention %s", name)
	}
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s is missing: %w", name, err)
	}
	if info.Size() != want.Size {
		return fmt.Errorf("%s has %d bytes instead of %d", name, info.Size(), want.Size)
	}
	if !thorough && info.ModTime().Equal(want.ModTime) {
		return nil
	}
	got, err := describe(path)
	if err != nil {
		return err
	}
	if got.SHA256 != want.SHA256 {
		return fmt.Errorf("%s does not have the checksum it was built with", name)
	}
	return nil
}

// describe hashes the file.
func describe(path string) (fileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return fileInfo{}, fmt.Errorf("hash file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return fileInfo{}, fmt.Errorf("hash file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return fileInfo{}, fmt.Errorf("hash file: %w", err)
	}
	return fileInfo{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil)), ModTime: info.ModTime()}, nil
}

// install moves the component's files from one folder to another on the same
// file system and writes the manifest. Whenever it breaks off, verify fails.
func install(from, to string, c Component) error {
	if err := os.Remove(manifestPath(to, c)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove old manifest: %w", err)
	}
	m := manifest{}
	for _, name := range c.files() {
		built := filepath.Join(from, name)
		if err := flush(built); err != nil {
			return fmt.Errorf("flush %s to disk: %w", name, err)
		}
		info, err := describe(built)
		if err != nil {
			return err
		}
		if err := os.Rename(built, filepath.Join(to, name)); err != nil {
			return fmt.Errorf("move %s into the cache: %w", name, err)
		}
		m[name] = info
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	draft := filepath.Join(from, string(c)+".json")
	if err := os.WriteFile(draft, data, 0o644); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := os.Rename(draft, manifestPath(to, c)); err != nil {
		return fmt.Errorf("move manifest into the cache: %w", err)
	}
	return nil
}

// flush makes sure that after a power failure there is no file of the right
// size and time with other content.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
