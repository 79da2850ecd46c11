// SPDX-License-Identifier: Apache-2.0

package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// Verdict is what became of a mutant.
type Verdict string

// The verdicts.
const (
	KilledByOwn    Verdict = "noticed by its own package's tests"
	KilledByOthers Verdict = "noticed by the tests of packages that use it"
	Survived       Verdict = "not noticed"
)

// Options is how mutants are tried.
type Options struct {
	Number  int           // how many are tried
	Seed    uint64        // of the sample: the same code and seed have the same sample
	Timeout time.Duration // of the tests of a package; one that takes longer has noticed
	Tell    func(m *Mutant, v Verdict, took time.Duration)
}

// Try tries a sample of mutants. Those that do not compile do not count.
func (m *Module) Try(ctx context.Context, all []*Mutant, o Options) (counts map[Verdict]int, survivors []*Mutant, err error) {
	random := rand.New(rand.NewPCG(o.Seed, 0)) //nolint:gosec // a sample that can be had again
	order := random.Perm(len(all))
	counts = map[Verdict]int{}
	tried := 0
	for _, i := range order {
		if tried == o.Number {
			break
		}
		began := time.Now()
		verdict, compiles, err := m.try(ctx, all[i], o.Timeout)
		if err != nil {
			return counts, survivors, err
		}
		if !compiles {
			continue
		}
		tried++
		counts[verdict]++
		if verdict == Survived {
			survivors = append(survivors, all[i])
		}
		o.Tell(all[i], verdict, time.Since(began))
	}
	return counts, survivors, nil
}

// try tries one mutant, in a copy of its file that the compiler takes in the place of the file.
func (m *Module) try(ctx context.Context, mutant *Mutant, timeout time.Duration) (v Verdict, compiles bool, err error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	content, err := os.ReadFile(mutant.File)
	if err != nil {
		return "", false, err
	}
	changed, overlay := filepath.Join(dir, filepath.Base(mutant.File)), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {mutant.File: changed}})
	if err != nil {
		return "", false, err
	}
	if err := errors.Join(os.WriteFile(changed, mutant.Apply(content), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", false, err
	}
	if out, err := m.goCommand(ctx, "build", "-overlay", overlay, mutant.Package); err != nil {
		if ctx.Err() != nil {
			return "", false, fmt.Errorf("%w\n%s", err, out)
		}
		return "", false, nil
	}
	own, others := m.tests(mutant.Package)
	if own {
		if passed, err := m.passes(ctx, overlay, timeout, mutant.Package); err != nil || !passed {
			return KilledByOwn, true, err
		}
	}
	for _, path := range others {
		if passed, err := m.passes(ctx, overlay, timeout, path); err != nil || !passed {
			return KilledByOthers, true, err
		}
	}
	return Survived, true, nil
}

// buildFailed is what `go test` says when a package does not compile. That is no test's merit.
var buildFailed = regexp.MustCompile(`(?m)\[(build|setup) failed\]$`)

// passes reports whether the tests of a package pass.
func (m *Module) passes(ctx context.Context, overlay string, timeout time.Duration, path string) (bool, error) {
	out, err := m.goCommand(ctx, "test", "-count=1", "-failfast", "-vet=off", "-timeout", timeout.String(), "-overlay", overlay, path)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case err == nil:
		return true, nil
	case !errors.As(err, &exit):
		return false, err
	case buildFailed.Match(out):
		return false, fmt.Errorf("the tests of %s do not compile:\n%s", path, out)
	}
	return false, nil
}

func (m *Module) goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = m.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.Bytes(), err
}
