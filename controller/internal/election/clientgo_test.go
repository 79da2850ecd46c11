// SPDX-License-Identifier: Apache-2.0

package election

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// The tests in this file are about client-go's elector (tools/leaderelection), not about this
// package. Each is one fact that this package relies on, and fails by its name if another version
// of client-go behaves otherwise.

// lockCall is one call of a lock by the elector.
type lockCall struct {
	verb   string
	at     time.Duration // since the elector began
	record resourcelock.LeaderElectionRecord
}

// fakeLock is a lock that notes how the elector uses it.
type fakeLock struct {
	mu      sync.Mutex
	began   time.Time
	calls   []lockCall
	inside  int
	most    int // calls at the same time
	record  *resourcelock.LeaderElectionRecord
	version string // the bytes by which the elector sees changes
	// fail returns the error of the nth call of a verb, from 0.
	fail  func(verb string, nth int) error
	count map[string]int
}

func (l *fakeLock) call(verb string, record resourcelock.LeaderElectionRecord) error {
	l.mu.Lock()
	l.inside++
	l.most = max(l.most, l.inside)
	l.calls = append(l.calls, lockCall{verb, time.Since(l.began), record})
	nth := l.count[verb]
	l.count[verb]++
	l.mu.Unlock()
	time.Sleep(time.Millisecond) // so that another call at the same time would be seen
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inside--
	if l.fail != nil {
		if err := l.fail(verb, nth); err != nil {
			return err
		}
	}
	if verb != "get" {
		l.record = &record
		l.version += "x"
	}
	return nil
}

func (l *fakeLock) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if err := l.call("get", resourcelock.LeaderElectionRecord{}); err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.record == nil {
		return nil, nil, apierrors.NewNotFound(leases, "lease")
	}
	return l.record, []byte(l.version), nil
}

func (l *fakeLock) Create(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.call("create", record)
}

func (l *fakeLock) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.call("update", record)
}

func (l *fakeLock) Identity() string   { return "ours" }
func (l *fakeLock) Describe() string   { return "default/lease" }
func (l *fakeLock) RecordEvent(string) {}

func (l *fakeLock) verbs() (verbs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		verbs = append(verbs, c.verb)
	}
	return verbs
}

func (l *fakeLock) first(verb string) (found lockCall, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		if c.verb == verb {
			return c, true
		}
	}
	return found, false
}

// clientGo runs client-go's elector on a lock, for as long as span and with the default times, and
// returns what it has logged and how long it ran.
func clientGo(t *testing.T, l *fakeLock, span time.Duration) (log string, ran time.Duration) {
	t.Helper()
	l.began = time.Now()
	l.count = map[string]int{}
	config := (&Candidate{config: timings[3]}).electorConfig(nil)
	config.Lock = l
	elector, err := leaderelection.NewLeaderElector(config)
	if err != nil {
		t.Fatal(err)
	}
	buffer := &bytes.Buffer{}
	ctx, cancel := context.WithTimeout(logTo(t.Context(), buffer), span)
	defer cancel()
	elector.Run(ctx)
	ran = time.Since(l.began)
	synctest.Wait()
	return buffer.String(), ran
}

func heldBy(identity string) *resourcelock.LeaderElectionRecord {
	return &resourcelock.LeaderElectionRecord{HolderIdentity: identity, LeaseDurationSeconds: 15}
}

// fact is a test in virtual time.
func fact(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func startsWith(t *testing.T, l *fakeLock, want ...string) {
	t.Helper()
	if got := l.verbs(); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("client-go's elector called %v, package election relies on %v", got, want)
	}
}

func TestClientGosElectorAcquires(t *testing.T) {
	fact(t, "by a read and a create in its first try, which it makes at once", func(t *testing.T) {
		l := &fakeLock{}
		clientGo(t, l, time.Second)
		startsWith(t, l, "get", "create")
		if c, _ := l.first("create"); c.at > 10*time.Millisecond {
			t.Errorf("it creates after %v", c.at)
		}
	})
	fact(t, "with a record that has its identity, the duration, and the time", func(t *testing.T) {
		l := &fakeLock{}
		clientGo(t, l, time.Second)
		c, _ := l.first("create")
		if c.record.HolderIdentity != "ours" || c.record.LeaseDurationSeconds != 15 ||
			!c.record.RenewTime.Time.Equal(l.began) {
			t.Errorf("the record is %+v", c.record)
		}
	})
	fact(t, "a lease without a holder at once", func(t *testing.T) {
		l := &fakeLock{record: heldBy("")}
		clientGo(t, l, time.Second)
		startsWith(t, l, "get", "update")
	})
	fact(t, "a lease that names its own identity at once", func(t *testing.T) {
		l := &fakeLock{record: heldBy("ours")}
		clientGo(t, l, time.Second)
		startsWith(t, l, "get", "update")
	})
	fact(t, "another's lease when it has not changed for its duration", func(t *testing.T) {
		l := &fakeLock{record: heldBy("another"), version: "1"}
		clientGo(t, l, time.Minute)
		if c, ok := l.first("update"); !ok || c.at < 15*time.Second || c.at > 20*time.Second {
			t.Errorf("it updates after %v", c.at)
		}
	})
	fact(t, "not another's lease while its bytes change", func(t *testing.T) {
		l := &fakeLock{record: heldBy("another"), version: "1"}
		l.fail = func(string, int) error {
			l.version += "x"
			return nil
		}
		clientGo(t, l, 5*time.Minute)
		if c, ok := l.first("update"); ok {
			t.Errorf("it updates after %v", c.at)
		}
	})
	fact(t, "nothing where the read fails", func(t *testing.T) {
		l := &fakeLock{fail: func(string, int) error { return io.EOF }}
		clientGo(t, l, time.Minute)
		if verbs := l.verbs(); slices.Contains(verbs, "create") ||
			slices.Contains(verbs, "update") {
			t.Errorf("it called %v", verbs)
		}
	})
	fact(t, "with 1 to 2.2 retry periods between its tries", func(t *testing.T) {
		l := &fakeLock{fail: func(string, int) error { return io.EOF }}
		clientGo(t, l, 10*time.Minute)
		for i, c := range l.calls[1:] {
			pause := c.at - l.calls[i].at
			if pause < 2*time.Second || pause > 4400*time.Millisecond+2*time.Millisecond {
				t.Errorf("it waits %v", pause)
			}
		}
	})
}

func TestClientGosElectorRenews(t *testing.T) {
	fact(t, "by an update without a read, after each retry period", func(t *testing.T) {
		l := &fakeLock{}
		clientGo(t, l, time.Minute)
		startsWith(t, l, "get", "create", "update", "update", "update")
		for i, c := range l.calls[3:] {
			pause := c.at - l.calls[2+i].at
			if pause < 1900*time.Millisecond || pause > 2100*time.Millisecond {
				t.Errorf("it waits %v", pause)
			}
		}
	})
	fact(t, "after an update that failed by a read and an update at once", func(t *testing.T) {
		l := &fakeLock{fail: failNth("update", 2)}
		clientGo(t, l, 10*time.Second)
		startsWith(t, l, "get", "create", "update", "update", "update", "get", "update", "update")
		if pause := l.calls[6].at - l.calls[4].at; pause > 10*time.Millisecond {
			t.Errorf("it waits %v", pause)
		}
	})
	fact(t, "by a create where the read finds no lease", func(t *testing.T) {
		l := &fakeLock{fail: func(verb string, nth int) error {
			if verb == "update" && nth == 2 || verb == "get" && nth == 1 {
				return apierrors.NewNotFound(leases, "lease")
			}
			return nil
		}}
		clientGo(t, l, 10*time.Second)
		startsWith(t, l, "get", "create", "update", "update", "update", "get", "create")
	})
	fact(t, "by calls one after another", func(t *testing.T) {
		l := &fakeLock{fail: failNth("update", 2)}
		clientGo(t, l, time.Minute)
		if l.most != 1 {
			t.Errorf("it made %d calls at the same time", l.most)
		}
	})
}

// failNth fails the nth call of a verb.
func failNth(verb string, nth int) func(string, int) error {
	return func(v string, n int) error {
		if v == verb && n == nth {
			return io.EOF
		}
		return nil
	}
}

func TestClientGosElectorReturns(t *testing.T) {
	fact(t, "when no renewal has succeeded for the renew deadline", func(t *testing.T) {
		l := &fakeLock{fail: func(verb string, nth int) error {
			if verb != "create" && nth > 0 {
				return io.EOF
			}
			return nil
		}}
		_, ran := clientGo(t, l, 5*time.Minute)
		failing := l.calls[3].at // the first renewal that fails
		if gaveUp := ran - failing; gaveUp < 9*time.Second || gaveUp > 11*time.Second {
			t.Errorf("it returned after %v without a renewal", gaveUp)
		}
		calls := len(l.verbs())
		time.Sleep(time.Hour)
		if after := len(l.verbs()); after != calls {
			t.Errorf("it made %d calls after it returned", after-calls)
		}
	})
	fact(t, "when its context ends, without another call", func(t *testing.T) {
		l := &fakeLock{}
		_, ran := clientGo(t, l, 29*time.Second)
		calls := len(l.verbs())
		time.Sleep(time.Hour)
		last := l.calls[len(l.calls)-1]
		if ran != 29*time.Second || last.at >= ran || len(l.verbs()) != calls {
			t.Errorf("it returned after %v, its last call was after %v", ran, last.at)
		}
		if l.record.HolderIdentity != "ours" {
			t.Error("it released the lease, although ReleaseOnCancel is not set")
		}
	})
}

func TestClientGosElectorLogs(t *testing.T) {
	refused := apierrors.NewConflict(leases, "lease", errors.New("a sign of this test"))
	for name, c := range map[string]struct {
		lock *fakeLock
		want string
	}{
		"an error of a read": {
			&fakeLock{fail: always("get", refused)}, "Error retrieving lease lock",
		},
		"an error of a create": {
			&fakeLock{fail: always("create", refused)}, "Error initially creating lease lock",
		},
		"an error of an update": {
			&fakeLock{record: heldBy(""), fail: always("update", refused)},
			"Failed to update lease",
		},
	} {
		fact(t, name+" as an error, as it is", func(t *testing.T) {
			log, _ := clientGo(t, c.lock, time.Second)
			want := regexp.MustCompile(
				`level=ERROR msg="` + c.want + `".* err=.*a sign of this test`,
			)
			if !want.MatchString(log) {
				t.Errorf("no line is %v:\n%s", want, log)
			}
		})
	}
	fact(t, "a lease that another holds for debugging, at verbosity 4", func(t *testing.T) {
		log, _ := clientGo(t, &fakeLock{record: heldBy("another"), version: "1"}, time.Second)
		want := regexp.MustCompile(`level=DEBUG msg="Lease is held by and has not yet expired"`)
		if raceVerbosity != 4 || !want.MatchString(log) {
			t.Errorf("no line is %v:\n%s", want, log)
		}
	})
}

func always(verb string, err error) func(string, int) error {
	return func(v string, _ int) error {
		if v == verb {
			return err
		}
		return nil
	}
}

type electorConfig = leaderelection.LeaderElectionConfig

func TestClientGosElectorRefusesTimesThatDoNotFitTogether(t *testing.T) {
	for name, change := range map[string]func(*electorConfig){
		"a renew deadline that is the lease's duration": func(c *electorConfig) {
			c.RenewDeadline = c.LeaseDuration
		},
		"a renew deadline of 1.2 retry periods": func(c *electorConfig) {
			c.RenewDeadline = c.RetryPeriod * 12 / 10
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := (&Candidate{config: timings[3]}).electorConfig(nil)
			config.Lock = &fakeLock{}
			change(&config)
			if _, err := leaderelection.NewLeaderElector(config); err == nil {
				t.Error("client-go takes it")
			}
		})
	}
}
